-- The claim `pv`: rises when a role, a membership or an organization's rules change what a token says.
alter table users add column pv integer not null default 0;

-- When the person last proved who they are in this session (`auth_time` of OpenID Connect).
alter table sessions add column proven_at timestamptz;
update sessions set proven_at = created_at;

alter table audit
    -- What the person proved themselves with.
    add column method text,
    -- Why it was refused.
    add column reason text,
    add column device text,
    -- A JSON object: what changed, from what to what.
    add column detail text;

alter table changes
    add column min_pv integer,
    drop constraint changes_kind_check,
    add constraint changes_kind_check check (
        kind in ('session_ended', 'tokens_called_back', 'tokens_outdated', 'person_changed', 'organization_changed')
    ),
    add constraint changes_min_pv_check check ((kind = 'tokens_outdated') = (min_pv is not null));
