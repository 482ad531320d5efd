update changes set kind = 'person_changed', min_pv = null where kind = 'tokens_outdated';
alter table changes
    drop constraint changes_kind_check,
    drop column min_pv,
    add constraint changes_kind_check
        check (kind in ('session_ended', 'tokens_called_back', 'person_changed', 'organization_changed'));
alter table audit drop column method, drop column reason, drop column device, drop column detail;
alter table sessions drop column proven_at;
alter table users drop column pv;
