drop table outbox;
alter table one_time_tokens drop column user_id;
