alter table identities drop column is_workspace_admin;
drop index outbox_recipient_idx;
drop index outbox_next_attempt_idx;
alter table outbox drop column priority;
alter table outbox drop column counter;
create index outbox_next_attempt_idx on outbox (next_attempt_at) where next_attempt_at is not null;
create index outbox_recipient_idx on outbox (recipient, created_at);
