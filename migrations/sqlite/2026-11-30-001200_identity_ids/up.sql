-- By which its owner names an identity. The default, a UUID of version 4, is for the rows of before and of instances of
-- the release before; SQLite adds no column with such a default.
create table identities_with_id (
    provider text not null constraint identities_provider_check check (provider in ('slack')),
    team_id text not null,
    external_id text not null,
    user_id blob not null constraint identities_user_fkey references users (id) on delete cascade,
    created_at integer not null,
    is_workspace_admin integer not null default 0,
    id blob not null default (unhex(hex(randomblob(6)) || '4' || substr(hex(randomblob(2)), 2) || 'a'
        || substr(hex(randomblob(2)), 2) || hex(randomblob(6)))),
    constraint identities_pkey primary key (provider, team_id, external_id)
) strict;

insert into identities_with_id (provider, team_id, external_id, user_id, created_at, is_workspace_admin)
select provider, team_id, external_id, user_id, created_at, is_workspace_admin from identities;
drop table identities;
alter table identities_with_id rename to identities;

create index identities_user_idx on identities (user_id);
create unique index identities_id_idx on identities (id);
