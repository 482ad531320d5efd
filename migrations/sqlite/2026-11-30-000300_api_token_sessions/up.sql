-- The session that made the token, which ends with it. No foreign key: the session may be deleted before.
alter table api_tokens add column session_id blob;
