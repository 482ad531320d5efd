-- With which devices a user has signed in before, and from which networks: a sign-in with a new one is notified.
create table known_devices (
    user_id uuid not null constraint known_devices_user_fkey references users (id) on delete cascade,
    -- Its name without a version; empty if it has none.
    device text not null,
    -- The /16 of an IPv4 address, or the /48 of an IPv6 address; empty if there is none.
    network text not null,
    last_at timestamptz not null,
    constraint known_devices_pkey primary key (user_id, device, network)
);
create index known_devices_last_at_idx on known_devices (last_at);
