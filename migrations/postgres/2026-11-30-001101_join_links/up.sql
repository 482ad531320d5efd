-- Links by which anyone who has an account joins an organization. They end with the membership of their maker.
create table join_links (
    id uuid not null constraint join_links_pkey primary key,
    -- SHA-256 of the token.
    hash text not null constraint join_links_hash_key unique,
    organization_id uuid not null,
    maker_id uuid not null,
    role text not null constraint join_links_role_check check (role in ('employee', 'manager', 'admin')),
    -- How many people may join by it; null for any number.
    uses integer,
    used integer not null default 0,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    constraint join_links_maker_fkey
        foreign key (maker_id, organization_id) references memberships (user_id, organization_id) on delete cascade
);

create index join_links_maker_idx on join_links (maker_id, organization_id);
create index join_links_organization_idx on join_links (organization_id, id);
create index join_links_expires_at_idx on join_links (expires_at);
