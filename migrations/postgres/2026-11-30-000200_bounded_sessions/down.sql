drop index changes_organization_idx;
drop index changes_user_idx;
drop index invitations_open_idx;
update sessions set revoked_at = now()
    from users where users.id = sessions.user_id and sessions.ver < users.session_ver and revoked_at is null;
drop index sessions_used_idx;
drop index sessions_open_idx;
create index sessions_user_idx on sessions (user_id, created_at);
drop trigger sessions_begin on sessions;
drop function session_begins();
alter table sessions drop column ver;
delete from users where deleted_at is not null;
drop index users_deleted_idx;
alter table users drop column session_ver, drop column sessions_checked_until, drop column deleted_at;
