drop table outbox;

-- SQLite drops no column with a foreign key.
drop table one_time_tokens;
create table one_time_tokens (
    hash text not null constraint one_time_tokens_pkey primary key,
    purpose text not null,
    payload text not null,
    expires_at integer not null
) strict;

create index one_time_tokens_expires_idx on one_time_tokens (expires_at);
