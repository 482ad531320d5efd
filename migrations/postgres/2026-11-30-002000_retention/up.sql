-- What is deleted some time after it has ended is found by when it did. Of the audit log the primary key finds it: an id
-- begins with the millisecond of its row.
create index sessions_revoked_at_idx on sessions (revoked_at) where revoked_at is not null;
create index invitations_ended_at_idx on invitations (coalesce(accepted_at, revoked_at, expires_at));
create index api_tokens_revoked_at_idx on api_tokens (revoked_at) where revoked_at is not null;
create index api_tokens_expires_at_idx on api_tokens (expires_at) where expires_at is not null;
create index outbox_sent_at_idx on outbox (sent_at) where sent_at is not null;
create index outbox_waiting_idx on outbox (created_at) where next_attempt_at is not null;
create index outbox_decoys_idx on outbox (created_at) where kind = 'blank';
