-- Domains, in ASCII and lower case, with a space between them.
alter table organizations add column allowed_domains text not null default '';
alter table organizations add column require_mfa integer not null default 0;

-- An organization's rules concern everybody in it. SQLite changes no constraint in place, and the sequence must go on.
create table changes_of_all (
    seq integer not null constraint changes_pkey primary key autoincrement,
    kind text not null constraint changes_kind_check
        check (kind in ('session_ended', 'tokens_called_back', 'person_changed', 'organization_changed')),
    user_id blob,
    session_id blob,
    min_ver integer,
    organization_id blob,
    at integer not null,
    expires_at integer not null,
    constraint changes_session_check check ((kind = 'session_ended') = (session_id is not null)),
    constraint changes_min_ver_check check ((kind = 'tokens_called_back') = (min_ver is not null)),
    constraint changes_subject_check check ((kind = 'organization_changed') = (organization_id is not null)),
    constraint changes_user_check check ((kind = 'organization_changed') = (user_id is null))
) strict;

insert into changes_of_all (seq, kind, user_id, session_id, min_ver, at, expires_at)
    select seq, kind, user_id, session_id, min_ver, at, expires_at from changes;

insert into sqlite_sequence (name, seq)
    select 'changes_of_all', seq from sqlite_sequence
    where name = 'changes' and not exists (select 1 from sqlite_sequence where name = 'changes_of_all');
update sqlite_sequence set seq = (select seq from sqlite_sequence where name = 'changes')
    where name = 'changes_of_all' and exists (select 1 from sqlite_sequence where name = 'changes');

drop table changes;
alter table changes_of_all rename to changes;
create index changes_expires_idx on changes (expires_at);
