alter table invitations drop column by_operator;
