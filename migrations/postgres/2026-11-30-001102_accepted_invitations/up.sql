-- Who accepted, and may do so again. Missing for invitations that older versions let someone accept.
alter table invitations add column accepted_by uuid;

create index invitations_email_idx on invitations (email, id) where accepted_at is null and revoked_at is null;
