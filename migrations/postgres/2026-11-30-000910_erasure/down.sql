drop index outbox_user_idx;
alter table outbox drop column user_id;
drop index invitations_email_idx;
drop index audit_actor_idx;
create index audit_actor_idx on audit (organization_id, actor_id, id);
