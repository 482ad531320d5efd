-- Who accepted, and may do so again. Missing for invitations that older versions let someone accept.
alter table invitations add column accepted_by uuid;
