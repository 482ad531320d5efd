-- Tokens that services hold. They go with their creator's place in the organization.
create table api_tokens (
    id blob not null constraint api_tokens_pkey primary key,
    -- SHA-256 of the token, of which nothing else is kept but its beginning.
    hash text not null constraint api_tokens_hash_key unique,
    prefix text not null,
    name text not null,
    creator_id blob not null,
    organization_id blob not null,
    role text not null constraint api_tokens_role_check check (role in ('employee', 'manager', 'admin')),
    created_at integer not null,
    expires_at integer,
    last_used_at integer,
    revoked_at integer,
    constraint api_tokens_creator_fkey
        foreign key (creator_id, organization_id) references memberships (user_id, organization_id) on delete cascade
) strict;

create index api_tokens_creator_idx on api_tokens (creator_id, organization_id, id);
create index api_tokens_organization_idx on api_tokens (organization_id, id);
