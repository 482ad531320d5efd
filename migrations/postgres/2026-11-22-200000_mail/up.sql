-- Whose account a secret opens; whoever is deleted leaves none behind.
alter table one_time_tokens
    add column user_id uuid constraint one_time_tokens_user_fkey references users (id) on delete cascade;

create index one_time_tokens_user_idx on one_time_tokens (user_id, purpose);

-- Letters on their way. Written in the transaction of their cause, sent by a worker.
create table outbox (
    id uuid not null constraint outbox_pkey primary key,
    kind text not null,
    recipient text not null,
    -- The letter under the service's key, since it may hold a one-time token; gone once it is sent.
    letter text,
    created_at timestamptz not null,
    attempts integer not null default 0,
    -- Missing when nothing is left to do.
    next_attempt_at timestamptz,
    sent_at timestamptz,
    given_up_at timestamptz,
    last_error text
);

create index outbox_next_attempt_idx on outbox (next_attempt_at) where next_attempt_at is not null;
create index outbox_recipient_idx on outbox (recipient, created_at);
