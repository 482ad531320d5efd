-- Which workspace at a provider is which organization.
create table workspaces (
    provider text not null constraint workspaces_provider_check check (provider in ('slack')),
    team_id text not null,
    organization_id uuid not null constraint workspaces_organization_fkey references organizations (id) on delete cascade,
    created_at timestamptz not null,
    constraint workspaces_pkey primary key (provider, team_id)
);

create index workspaces_organization_idx on workspaces (organization_id);

-- Who at a provider is which user. A user's id there means somebody only together with the team's.
create table identities (
    provider text not null constraint identities_provider_check check (provider in ('slack')),
    team_id text not null,
    external_id text not null,
    user_id uuid not null constraint identities_user_fkey references users (id) on delete cascade,
    created_at timestamptz not null,
    constraint identities_pkey primary key (provider, team_id, external_id)
);

create index identities_user_idx on identities (user_id);

-- The states that came back already; one that is here is not taken again.
create table slack_states (
    id uuid not null constraint slack_states_pkey primary key,
    expires_at timestamptz not null
);

create index slack_states_expires_idx on slack_states (expires_at);

-- Secrets that open something once, known by their hash; whoever takes one deletes it.
create table one_time_tokens (
    hash text not null constraint one_time_tokens_pkey primary key,
    purpose text not null,
    payload text not null,
    expires_at timestamptz not null
);

create index one_time_tokens_expires_idx on one_time_tokens (expires_at);
