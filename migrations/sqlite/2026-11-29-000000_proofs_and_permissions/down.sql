create table changes_without_pv (
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

insert into changes_without_pv (seq, kind, user_id, session_id, min_ver, organization_id, at, expires_at)
    select seq, case kind when 'tokens_outdated' then 'person_changed' else kind end,
        user_id, session_id, min_ver, organization_id, at, expires_at from changes;

insert into sqlite_sequence (name, seq)
    select 'changes_without_pv', seq from sqlite_sequence
    where name = 'changes' and not exists (select 1 from sqlite_sequence where name = 'changes_without_pv');
update sqlite_sequence set seq = (select seq from sqlite_sequence where name = 'changes')
    where name = 'changes_without_pv' and exists (select 1 from sqlite_sequence where name = 'changes');

drop table changes;
alter table changes_without_pv rename to changes;
create index changes_expires_idx on changes (expires_at);

alter table audit drop column detail;
alter table audit drop column device;
alter table audit drop column reason;
alter table audit drop column method;
alter table sessions drop column proven_at;
alter table users drop column pv;
