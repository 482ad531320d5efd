-- Runs of `hallpass import`. One runs at a time.
create table imports (
    id blob not null constraint imports_pkey primary key,
    -- The namespace of the external ids.
    source text not null,
    -- What a run needs to go on, as JSON: names of files, the mapping, the options.
    options text not null,
    state text not null
        constraint imports_state_check check (state in ('running', 'stopped', 'finished', 'undone')),
    -- The process that writes: another that takes the run over changes it, and the first one then writes nothing more.
    holder blob not null,
    started_at integer not null,
    -- The last time that the process wrote.
    seen_at integer not null,
    ended_at integer,
    -- The rows of the source that are done, from its first one.
    rows_done integer not null,
    created integer not null,
    updated integer not null,
    unchanged integer not null,
    refused integer not null
) strict;

create unique index imports_running_idx on imports (state) where state = 'running';

-- Which id a user had elsewhere. `run_id` is the run that created the account, and null for one that was here before.
create table external_ids (
    source text not null,
    external_id text not null,
    user_id blob not null constraint external_ids_user_id_fkey references users (id) on delete cascade,
    run_id blob constraint external_ids_run_id_fkey references imports (id),
    imported_at integer not null,
    -- When a password was set here that is not the imported one.
    password_set_at integer,
    -- Digests of what was imported last, by which a later run tells what has changed elsewhere and what here.
    fingerprint text not null,
    constraint external_ids_pkey primary key (source, external_id)
) strict, without rowid;

create unique index external_ids_user_idx on external_ids (user_id, source);

-- Which organization a name elsewhere became; it may have been renamed since.
create table external_organizations (
    source text not null,
    name text not null,
    organization_id blob not null
        constraint external_organizations_organization_id_fkey references organizations (id) on delete cascade,
    run_id blob constraint external_organizations_run_id_fkey references imports (id),
    constraint external_organizations_pkey primary key (source, name)
) strict, without rowid;

create index external_organizations_organization_idx on external_organizations (organization_id);
