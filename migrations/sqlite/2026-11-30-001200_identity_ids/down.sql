create table identities_without_id (
    provider text not null constraint identities_provider_check check (provider in ('slack')),
    team_id text not null,
    external_id text not null,
    user_id blob not null constraint identities_user_fkey references users (id) on delete cascade,
    created_at integer not null,
    is_workspace_admin integer not null default 0,
    constraint identities_pkey primary key (provider, team_id, external_id)
) strict;

insert into identities_without_id select provider, team_id, external_id, user_id, created_at, is_workspace_admin
from identities;
drop table identities;
alter table identities_without_id rename to identities;

create index identities_user_idx on identities (user_id);
