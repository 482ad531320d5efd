alter table api_tokens drop column session_id;
