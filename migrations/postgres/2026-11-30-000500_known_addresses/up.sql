-- From where a user has signed in before: there they get in although others have locked the account.
create table known_addresses (
    user_id uuid not null constraint known_addresses_user_fkey references users (id) on delete cascade,
    -- An IPv4 address, or the /64 of an IPv6 address.
    block text not null,
    last_at timestamptz not null,
    constraint known_addresses_pkey primary key (user_id, block)
);
create index known_addresses_last_at_idx on known_addresses (last_at);
