-- One authenticator (RFC 6238) a user; it counts once it is confirmed.
create table totp (
    user_id uuid not null constraint totp_pkey primary key
        constraint totp_user_fkey references users (id) on delete cascade,
    -- Both under the service's key: what codes are checked against, and what is still to be confirmed.
    secret text,
    pending text,
    -- The name of the key that the secret is under.
    kid text,
    created_at timestamptz not null,
    confirmed_at timestamptz,
    -- The step of the last code taken: no code of it or before it is taken again.
    last_step bigint,
    -- Wrong codes in a row, and until when none is looked at.
    failures integer not null default 0,
    locked_until timestamptz,
    constraint totp_secret_check check ((secret is null) = (confirmed_at is null))
);

create table recovery_codes (
    user_id uuid not null constraint recovery_codes_user_fkey references users (id) on delete cascade,
    hash text not null,
    constraint recovery_codes_pkey primary key (user_id, hash)
);
