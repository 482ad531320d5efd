-- Wrong passwords of the last quarter of an hour. `account` is an e-mail address under the service's key, whether or
-- not anybody has it; `address` is an IPv4 address or an IPv6 /64.
create table failed_attempts (
    seq bigint generated always as identity constraint failed_attempts_pkey primary key,
    account text not null,
    address text not null,
    at timestamptz not null
);

create index failed_attempts_address_idx on failed_attempts (address, at);
create index failed_attempts_account_idx on failed_attempts (account);
create index failed_attempts_at_idx on failed_attempts (at);

-- Wrong passwords since the last right one, from wherever.
create table failures_in_a_row (
    account text not null constraint failures_in_a_row_pkey primary key,
    failures integer not null,
    last_at timestamptz not null
);

create index failures_in_a_row_last_idx on failures_in_a_row (last_at);
