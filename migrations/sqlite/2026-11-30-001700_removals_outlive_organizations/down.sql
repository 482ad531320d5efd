drop index invitations_accepted_by_idx;
create table removals (
    provider text not null constraint removed_identities_provider_check check (provider in ('slack')),
    team_id text not null,
    external_id text not null,
    organization_id blob not null
        constraint removed_identities_organization_fkey references organizations (id) on delete cascade,
    removed_at integer not null,
    constraint removed_identities_pkey primary key (provider, team_id, external_id)
) strict;
insert into removals (provider, team_id, external_id, organization_id, removed_at)
    select provider, team_id, external_id, organization_id, removed_at from removed_identities
    where organization_id in (select id from organizations);
drop table removed_identities;
alter table removals rename to removed_identities;
create index removed_identities_organization_idx on removed_identities (organization_id);
