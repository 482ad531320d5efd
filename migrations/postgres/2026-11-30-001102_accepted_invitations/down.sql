alter table invitations drop column accepted_by;
