-- Accounts of a provider whose owners were removed from the organization of their workspace. They do not come back by
-- signing in there, whatever has become of their identities, users and addresses here.
create table removed_identities (
    provider text not null constraint removed_identities_provider_check check (provider in ('slack')),
    team_id text not null,
    external_id text not null,
    organization_id blob not null
        constraint removed_identities_organization_fkey references organizations (id) on delete cascade,
    removed_at integer not null,
    constraint removed_identities_pkey primary key (provider, team_id, external_id)
) strict;

create index removed_identities_organization_idx on removed_identities (organization_id);

-- Identities that a password reset detached from their user, so that a later removal concerns them as well.
create table detached_identities (
    user_id blob not null constraint detached_identities_user_fkey references users (id) on delete cascade,
    provider text not null constraint detached_identities_provider_check check (provider in ('slack')),
    team_id text not null,
    external_id text not null,
    detached_at integer not null,
    constraint detached_identities_pkey primary key (user_id, provider, team_id, external_id)
) strict;
