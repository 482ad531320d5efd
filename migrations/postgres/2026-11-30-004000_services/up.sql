-- Other services that follow revocations and ask about tokens, with one key each, or two while they change it.
create table services (
    id uuid not null constraint services_pkey primary key,
    name text not null constraint services_name_key unique,
    created_at timestamptz not null
);

create table service_keys (
    id uuid not null constraint service_keys_pkey primary key,
    service_id uuid not null constraint service_keys_service_id_fkey references services (id) on delete cascade,
    hash text not null constraint service_keys_hash_key unique,
    prefix text not null,
    created_at timestamptz not null,
    last_used_at timestamptz
);

create index service_keys_service_id_idx on service_keys (service_id);
