drop index invitations_email_idx;
alter table invitations drop column accepted_by;
