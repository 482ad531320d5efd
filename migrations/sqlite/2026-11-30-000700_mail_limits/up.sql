-- Which limit the e-mail counts towards, if any, for example `invitation:` and the id of the organization.
alter table outbox add column counter text;
-- Lower numbers are sent first.
alter table outbox add column priority integer not null default 0;

update outbox set priority = case kind when 'invitation' then 2 when 'verify_email' then 1
    when 'confirm_new_email' then 1 else 0 end;

drop index outbox_next_attempt_idx;
create index outbox_next_attempt_idx on outbox (priority, next_attempt_at) where next_attempt_at is not null;
drop index outbox_recipient_idx;
create index outbox_recipient_idx on outbox (recipient, counter, created_at);

-- Whether the account is an owner or admin of its workspace, as of the last sign-in with Slack.
alter table identities add column is_workspace_admin integer not null default 0;
