create table users (
    id blob not null constraint users_pkey primary key,
    email text constraint users_email_key unique,
    email_verified_at integer,
    name text not null,
    first_name text,
    last_name text,
    password_hash text,
    ver integer not null default 0,
    disabled_at integer,
    created_at integer not null,
    updated_at integer not null
) strict;

create table organizations (
    id blob not null constraint organizations_pkey primary key,
    name text not null,
    slug text not null constraint organizations_slug_key unique,
    join_policy text not null
        constraint organizations_join_policy_check check (join_policy in ('open', 'domain', 'invite', 'closed')),
    created_at integer not null,
    updated_at integer not null
) strict;

create table memberships (
    user_id blob not null constraint memberships_user_fkey references users (id) on delete cascade,
    organization_id blob not null constraint memberships_organization_fkey references organizations (id) on delete cascade,
    role text not null constraint memberships_role_check check (role in ('employee', 'manager', 'admin')),
    manager_id blob,
    created_at integer not null,
    updated_at integer not null,
    constraint memberships_pkey primary key (user_id, organization_id),
    constraint memberships_manager_fkey
        foreign key (manager_id, organization_id) references memberships (user_id, organization_id)
) strict;

create index memberships_organization_idx on memberships (organization_id, user_id);
create index memberships_manager_idx on memberships (organization_id, manager_id);

create table sessions (
    id blob not null constraint sessions_pkey primary key,
    user_id blob not null constraint sessions_user_fkey references users (id) on delete cascade,
    organization_id blob not null constraint sessions_organization_fkey references organizations (id) on delete cascade,
    device text,
    address text,
    created_at integer not null,
    last_used_at integer not null,
    expires_at integer not null,
    revoked_at integer
) strict;

create index sessions_user_idx on sessions (user_id, created_at);

-- What every instance must hear of: ended sessions, called-back tokens, changed people.
create table changes (
    seq integer not null constraint changes_pkey primary key autoincrement,
    kind text not null constraint changes_kind_check check (kind in ('session_ended', 'tokens_called_back', 'person_changed')),
    user_id blob not null,
    session_id blob,
    min_ver integer,
    at integer not null,
    expires_at integer not null,
    constraint changes_session_check check ((kind = 'session_ended') = (session_id is not null)),
    constraint changes_min_ver_check check ((kind = 'tokens_called_back') = (min_ver is not null))
) strict;

create index changes_expires_idx on changes (expires_at);

create table audit (
    id blob not null constraint audit_pkey primary key,
    at integer not null,
    action text not null,
    outcome text not null constraint audit_outcome_check check (outcome in ('ok', 'refused')),
    actor_id blob,
    subject_id blob,
    organization_id blob,
    address text,
    request_id text not null
) strict;

create index audit_organization_idx on audit (organization_id, id);
