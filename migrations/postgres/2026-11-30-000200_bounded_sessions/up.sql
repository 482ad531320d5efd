-- A session has ended once its `ver` is not the `session_ver` of its user, so that one row ends all of them.
alter table users
    add column session_ver integer not null default 0,
    -- Until then, sessions that ended without a change may have valid access tokens, so `sessions` is asked.
    add column sessions_checked_until timestamptz,
    -- Deleted, but for the sessions that are still to be deleted.
    add column deleted_at timestamptz;

create index users_deleted_idx on users (id) where deleted_at is not null;

alter table sessions add column ver integer not null default 0;
alter table sessions alter column ver drop default;

-- Instances of the version before insert no `ver`.
create function session_begins() returns trigger language plpgsql as $$
begin
    new.ver := (select session_ver from users where id = new.user_id);
    return new;
end
$$;

create trigger sessions_begin before insert on sessions
    for each row when (new.ver is null) execute function session_begins();

drop index sessions_user_idx;
create index sessions_open_idx on sessions (user_id, ver, created_at, id) where revoked_at is null;
create index sessions_used_idx on sessions (user_id, ver, last_used_at, id) where revoked_at is null;

create index invitations_open_idx on invitations (organization_id, id)
    where accepted_at is null and revoked_at is null;

-- A newer change of the same kind replaces these.
create index changes_user_idx on changes (user_id, kind) where session_id is null;
create index changes_organization_idx on changes (organization_id) where organization_id is not null;
