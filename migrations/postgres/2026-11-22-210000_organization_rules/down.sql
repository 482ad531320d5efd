delete from changes where kind = 'organization_changed';
alter table changes
    drop constraint changes_subject_check,
    drop constraint changes_user_check,
    drop constraint changes_kind_check,
    add constraint changes_kind_check check (kind in ('session_ended', 'tokens_called_back', 'person_changed')),
    drop column organization_id,
    alter column user_id set not null;

alter table organizations drop column allowed_domains, drop column require_mfa;
