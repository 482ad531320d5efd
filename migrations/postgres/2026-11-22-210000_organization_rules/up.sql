alter table organizations
    -- Domains, in ASCII and lower case, with a space between them.
    add column allowed_domains text not null default '',
    add column require_mfa boolean not null default false;

-- An organization's rules concern everybody in it.
alter table changes
    alter column user_id drop not null,
    add column organization_id uuid,
    drop constraint changes_kind_check,
    add constraint changes_kind_check
        check (kind in ('session_ended', 'tokens_called_back', 'person_changed', 'organization_changed')),
    add constraint changes_subject_check check ((kind = 'organization_changed') = (organization_id is not null)),
    add constraint changes_user_check check ((kind = 'organization_changed') = (user_id is null));
