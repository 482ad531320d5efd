-- The claim `pv`: rises when a role, a membership or an organization's rules change what a token says.
alter table users add column pv integer not null default 0;

-- When the person last proved who they are in this session (`auth_time` of OpenID Connect).
alter table sessions add column proven_at integer;
update sessions set proven_at = created_at;

-- What the person proved themselves with.
alter table audit add column method text;
-- Why it was refused.
alter table audit add column reason text;
alter table audit add column device text;
-- A JSON object: what changed, from what to what.
alter table audit add column detail text;

-- SQLite changes no constraint in place, and the sequence must go on.
create table changes_with_pv (
    seq integer not null constraint changes_pkey primary key autoincrement,
    kind text not null constraint changes_kind_check check (
        kind in ('session_ended', 'tokens_called_back', 'tokens_outdated', 'person_changed', 'organization_changed')
    ),
    user_id blob,
    session_id blob,
    min_ver integer,
    min_pv integer,
    organization_id blob,
    at integer not null,
    expires_at integer not null,
    constraint changes_session_check check ((kind = 'session_ended') = (session_id is not null)),
    constraint changes_min_ver_check check ((kind = 'tokens_called_back') = (min_ver is not null)),
    constraint changes_min_pv_check check ((kind = 'tokens_outdated') = (min_pv is not null)),
    constraint changes_subject_check check ((kind = 'organization_changed') = (organization_id is not null)),
    constraint changes_user_check check ((kind = 'organization_changed') = (user_id is null))
) strict;

insert into changes_with_pv (seq, kind, user_id, session_id, min_ver, organization_id, at, expires_at)
    select seq, kind, user_id, session_id, min_ver, organization_id, at, expires_at from changes;

insert into sqlite_sequence (name, seq)
    select 'changes_with_pv', seq from sqlite_sequence
    where name = 'changes' and not exists (select 1 from sqlite_sequence where name = 'changes_with_pv');
update sqlite_sequence set seq = (select seq from sqlite_sequence where name = 'changes')
    where name = 'changes_with_pv' and exists (select 1 from sqlite_sequence where name = 'changes');

drop table changes;
alter table changes_with_pv rename to changes;
create index changes_expires_idx on changes (expires_at);
