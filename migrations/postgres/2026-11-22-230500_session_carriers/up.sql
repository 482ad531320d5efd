-- A session is carried by JWTs that name it, or by one opaque token of which a hash is kept.
alter table sessions
    add column kind text not null default 'jwt'
        constraint sessions_kind_check check (kind in ('jwt', 'token')),
    add column token_hash text constraint sessions_token_hash_key unique,
    -- Until the second factor comes.
    add column locked boolean not null default false,
    add constraint sessions_token_hash_check check ((kind = 'token') = (token_hash is not null)),
    add constraint sessions_locked_check check (kind = 'token' or not locked);
