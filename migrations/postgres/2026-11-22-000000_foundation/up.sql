create table users (
    id uuid not null constraint users_pkey primary key,
    email text constraint users_email_key unique,
    email_verified_at timestamptz,
    name text not null,
    first_name text,
    last_name text,
    password_hash text,
    ver integer not null default 0,
    disabled_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create table organizations (
    id uuid not null constraint organizations_pkey primary key,
    name text not null,
    slug text not null constraint organizations_slug_key unique,
    join_policy text not null
        constraint organizations_join_policy_check check (join_policy in ('open', 'domain', 'invite', 'closed')),
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create table memberships (
    user_id uuid not null constraint memberships_user_fkey references users (id) on delete cascade,
    organization_id uuid not null constraint memberships_organization_fkey references organizations (id) on delete cascade,
    role text not null constraint memberships_role_check check (role in ('employee', 'manager', 'admin')),
    manager_id uuid,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint memberships_pkey primary key (user_id, organization_id),
    constraint memberships_manager_fkey
        foreign key (manager_id, organization_id) references memberships (user_id, organization_id)
);

create index memberships_organization_idx on memberships (organization_id, user_id);
create index memberships_manager_idx on memberships (organization_id, manager_id);

create table sessions (
    id uuid not null constraint sessions_pkey primary key,
    user_id uuid not null constraint sessions_user_fkey references users (id) on delete cascade,
    organization_id uuid not null constraint sessions_organization_fkey references organizations (id) on delete cascade,
    device text,
    address text,
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz
);

create index sessions_user_idx on sessions (user_id, created_at);

-- What every instance must hear of: ended sessions, called-back tokens, changed people.
create table changes (
    seq bigint generated always as identity constraint changes_pkey primary key,
    kind text not null constraint changes_kind_check check (kind in ('session_ended', 'tokens_called_back', 'person_changed')),
    user_id uuid not null,
    session_id uuid,
    min_ver integer,
    at timestamptz not null,
    expires_at timestamptz not null,
    constraint changes_session_check check ((kind = 'session_ended') = (session_id is not null)),
    constraint changes_min_ver_check check ((kind = 'tokens_called_back') = (min_ver is not null))
);

create index changes_expires_idx on changes (expires_at);

create table audit (
    id uuid not null constraint audit_pkey primary key,
    at timestamptz not null,
    action text not null,
    outcome text not null constraint audit_outcome_check check (outcome in ('ok', 'refused')),
    actor_id uuid,
    subject_id uuid,
    organization_id uuid,
    address text,
    request_id text not null
);

create index audit_organization_idx on audit (organization_id, id);
