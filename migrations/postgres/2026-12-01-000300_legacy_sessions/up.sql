-- Sessions of earlier systems that were stored there, so that a token alone does not tell whose they are.
create table legacy_sessions (
    source text not null,
    -- SHA-256 of the token in base64url.
    token_hash text not null,
    user_id uuid not null constraint legacy_sessions_user_fkey references users (id) on delete cascade,
    expires_at timestamptz not null,
    constraint legacy_sessions_pkey primary key (source, token_hash)
);
create index legacy_sessions_user_idx on legacy_sessions (user_id);
create index legacy_sessions_expires_at_idx on legacy_sessions (expires_at);

-- Since when the person's sessions in the earlier system count no more.
alter table external_ids add column sessions_ended_at timestamptz;

-- When the session ends at the latest, whatever the lifetimes: one that took an earlier system's place, when that ends.
alter table sessions add column must_end_at timestamptz;
