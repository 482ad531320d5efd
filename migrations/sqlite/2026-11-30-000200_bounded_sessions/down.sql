drop index changes_organization_idx;
drop index changes_user_idx;
drop index invitations_open_idx;
update sessions set revoked_at = last_used_at
    where revoked_at is null and ver < (select session_ver from users where users.id = sessions.user_id);
drop index sessions_used_idx;
drop index sessions_open_idx;
create index sessions_user_idx on sessions (user_id, created_at);
alter table sessions drop column ver;
delete from users where deleted_at is not null;
drop index users_deleted_idx;
alter table users drop column deleted_at;
alter table users drop column sessions_checked_until;
alter table users drop column session_ver;
