-- Former slugs of organizations, which go on leading to them.
create table slug_aliases (
    slug text not null constraint slug_aliases_pkey primary key,
    organization_id uuid not null
        constraint slug_aliases_organization_fkey references organizations (id) on delete cascade,
    created_at timestamptz not null
);

create index slug_aliases_organization_idx on slug_aliases (organization_id);
