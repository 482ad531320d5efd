-- `null` for the sessions of people without an organization.
alter table sessions alter column organization_id drop not null;
create index sessions_organization_idx on sessions (organization_id);

-- The organization that each user acted in last, for sign-ins that name none.
create table active_organizations (
    user_id uuid not null constraint active_organizations_pkey primary key
        constraint active_organizations_user_fkey references users (id) on delete cascade,
    organization_id uuid not null
        constraint active_organizations_organization_fkey references organizations (id) on delete cascade
);
create index active_organizations_organization_idx on active_organizations (organization_id);
