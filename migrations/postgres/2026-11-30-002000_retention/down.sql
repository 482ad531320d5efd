drop index outbox_decoys_idx;
drop index outbox_waiting_idx;
drop index outbox_sent_at_idx;
drop index api_tokens_expires_at_idx;
drop index api_tokens_revoked_at_idx;
drop index invitations_ended_at_idx;
drop index sessions_revoked_at_idx;
