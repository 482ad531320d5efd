-- Whether the operator invited: such an invitation depends on no member's role and no join policy.
alter table invitations add column by_operator boolean not null default false;
