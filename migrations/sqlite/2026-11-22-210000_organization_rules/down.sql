create table changes_of_people (
    seq integer not null constraint changes_pkey primary key autoincrement,
    kind text not null constraint changes_kind_check check (kind in ('session_ended', 'tokens_called_back', 'person_changed')),
    user_id blob not null,
    session_id blob,
    min_ver integer,
    at integer not null,
    expires_at integer not null,
    constraint changes_session_check check ((kind = 'session_ended') = (session_id is not null)),
    constraint changes_min_ver_check check ((kind = 'tokens_called_back') = (min_ver is not null))
) strict;

insert into changes_of_people (seq, kind, user_id, session_id, min_ver, at, expires_at)
    select seq, kind, user_id, session_id, min_ver, at, expires_at from changes where kind <> 'organization_changed';

drop table changes;
alter table changes_of_people rename to changes;
create index changes_expires_idx on changes (expires_at);

alter table organizations drop column allowed_domains;
alter table organizations drop column require_mfa;
