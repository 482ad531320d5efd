-- The keys that sign access tokens and seal secrets, by their ids: whoever restores a backup or moves a database learns
-- from it which ones it needs. There is nothing secret in it.
create table signing_keys (
    kid text not null constraint signing_keys_pkey primary key,
    alg text not null constraint signing_keys_alg_check check (alg in ('HS256', 'ES256')),
    -- When an instance first had it.
    since integer not null,
    -- When an instance last signed access tokens with it.
    signed_at integer,
    -- When an instance last sealed with it what only a server reads.
    sealed_at integer
) strict;
