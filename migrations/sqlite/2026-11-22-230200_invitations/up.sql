-- Places in organizations that wait for whoever proves a mailbox. Their links are one-time tokens.
create table invitations (
    id blob not null constraint invitations_pkey primary key,
    organization_id blob not null constraint invitations_organization_fkey references organizations (id) on delete cascade,
    email text not null,
    role text not null constraint invitations_role_check check (role in ('employee', 'manager', 'admin')),
    -- Missing when the organization's rules invited. No invitation outlives who made it.
    invited_by blob constraint invitations_invited_by_fkey references users (id) on delete cascade,
    -- Which letter holds the link that is good.
    letter integer not null,
    created_at integer not null,
    expires_at integer not null,
    accepted_at integer,
    revoked_at integer,
    constraint invitations_end_check check (accepted_at is null or revoked_at is null)
) strict;

create unique index invitations_unanswered_key on invitations (organization_id, email)
    where accepted_at is null and revoked_at is null;
create index invitations_invited_by_idx on invitations (invited_by);
