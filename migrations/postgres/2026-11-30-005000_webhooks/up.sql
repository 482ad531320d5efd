-- Where organizations are told what happens to their people. They end with the membership of their owner.
create table webhooks (
    id uuid not null constraint webhooks_pkey primary key,
    organization_id uuid not null,
    owner_id uuid not null,
    name text,
    url text not null,
    -- Names of events between commas, also before the first and after the last; null for all.
    events text,
    -- Sealed, with the key that is named in kid.
    secret text not null,
    -- The one before the last rotation, which signs as well until then.
    previous_secret text,
    previous_until timestamptz,
    kid text not null,
    created_at timestamptz not null,
    -- Since when every try has failed.
    failing_since timestamptz,
    disabled_at timestamptz,
    disabled_why text constraint webhooks_disabled_why_check check (disabled_why in ('by_an_admin', 'gone', 'failing')),
    constraint webhooks_owner_fkey
        foreign key (owner_id, organization_id) references memberships (user_id, organization_id) on delete cascade
);

create index webhooks_owner_idx on webhooks (owner_id, organization_id);
create index webhooks_organization_idx on webhooks (organization_id, id);
create index webhooks_kid_idx on webhooks (kid);

-- What a webhook is to be told, and how that went. An event has one id at all webhooks.
create table webhook_deliveries (
    id uuid not null,
    webhook_id uuid not null constraint webhook_deliveries_webhook_id_fkey references webhooks (id) on delete cascade,
    event text not null,
    at timestamptz not null,
    user_id uuid,
    session_id uuid,
    kept_session_id uuid,
    -- The person as they were then, as JSON; null once it was delivered or given up.
    person text,
    attempts integer not null,
    next_attempt_at timestamptz,
    last_status integer,
    last_error text,
    delivered_at timestamptz,
    given_up_at timestamptz,
    constraint webhook_deliveries_pkey primary key (webhook_id, id)
);

create index webhook_deliveries_waiting_idx on webhook_deliveries (webhook_id, next_attempt_at)
    where next_attempt_at is not null;
create index webhook_deliveries_waiting_since_idx on webhook_deliveries (at) where next_attempt_at is not null;
create index webhook_deliveries_user_id_idx on webhook_deliveries (user_id);
create index webhook_deliveries_delivered_at_idx on webhook_deliveries (delivered_at) where delivered_at is not null;
create index webhook_deliveries_given_up_at_idx on webhook_deliveries (given_up_at) where given_up_at is not null;
