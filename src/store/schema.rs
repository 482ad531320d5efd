//! The tables, once for both databases; `types` maps our own two types to each database.

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    users (id) {
        id -> Id,
        email -> Nullable<Text>,
        email_verified_at -> Nullable<Instant>,
        name -> Text,
        first_name -> Nullable<Text>,
        last_name -> Nullable<Text>,
        password_hash -> Nullable<Text>,
        ver -> Integer,
        pv -> Integer,
        disabled_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
        session_ver -> Integer,
        sessions_checked_until -> Nullable<Instant>,
        deleted_at -> Nullable<Instant>,
        password_changes -> Integer,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    organizations (id) {
        id -> Id,
        name -> Text,
        slug -> Text,
        join_policy -> Text,
        allowed_domains -> Text,
        require_mfa -> Bool,
        created_at -> Instant,
        updated_at -> Instant,
        token_lifetime -> Nullable<Integer>,
        session_lifetime -> Nullable<Integer>,
        session_idle -> Nullable<Integer>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    memberships (user_id, organization_id) {
        user_id -> Id,
        organization_id -> Id,
        role -> Text,
        manager_id -> Nullable<Id>,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    sessions (id) {
        id -> Id,
        user_id -> Id,
        organization_id -> Nullable<Id>,
        device -> Nullable<Text>,
        address -> Nullable<Text>,
        created_at -> Instant,
        last_used_at -> Instant,
        expires_at -> Instant,
        revoked_at -> Nullable<Instant>,
        kind -> Text,
        token_hash -> Nullable<Text>,
        locked -> Bool,
        proven_at -> Nullable<Instant>,
        ver -> Integer,
        must_end_at -> Nullable<Instant>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    legacy_sessions (source, token_hash) {
        source -> Text,
        token_hash -> Text,
        user_id -> Id,
        expires_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    changes (seq) {
        seq -> BigInt,
        kind -> Text,
        user_id -> Nullable<Id>,
        session_id -> Nullable<Id>,
        min_ver -> Nullable<Integer>,
        min_pv -> Nullable<Integer>,
        organization_id -> Nullable<Id>,
        at -> Instant,
        expires_at -> Instant,
        xid -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    audit (id) {
        id -> Id,
        at -> Instant,
        action -> Text,
        outcome -> Text,
        actor_id -> Nullable<Id>,
        subject_id -> Nullable<Id>,
        organization_id -> Nullable<Id>,
        address -> Nullable<Text>,
        request_id -> Text,
        method -> Nullable<Text>,
        reason -> Nullable<Text>,
        device -> Nullable<Text>,
        detail -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    workspaces (provider, team_id) {
        provider -> Text,
        team_id -> Text,
        organization_id -> Id,
        created_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    identities (provider, team_id, external_id) {
        provider -> Text,
        team_id -> Text,
        external_id -> Text,
        user_id -> Id,
        created_at -> Instant,
        is_workspace_admin -> Bool,
        id -> Id,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    removed_identities (provider, team_id, external_id) {
        provider -> Text,
        team_id -> Text,
        external_id -> Text,
        organization_id -> Id,
        removed_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    detached_identities (user_id, provider, team_id, external_id) {
        user_id -> Id,
        provider -> Text,
        team_id -> Text,
        external_id -> Text,
        detached_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    slack_states (id) {
        id -> Id,
        expires_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    one_time_tokens (hash) {
        hash -> Text,
        purpose -> Text,
        payload -> Text,
        expires_at -> Instant,
        user_id -> Nullable<Id>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    outbox (id) {
        id -> Id,
        kind -> Text,
        recipient -> Text,
        letter -> Nullable<Text>,
        created_at -> Instant,
        attempts -> Integer,
        next_attempt_at -> Nullable<Instant>,
        sent_at -> Nullable<Instant>,
        given_up_at -> Nullable<Instant>,
        last_error -> Nullable<Text>,
        counter -> Nullable<Text>,
        priority -> SmallInt,
        user_id -> Nullable<Id>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    invitations (id) {
        id -> Id,
        organization_id -> Id,
        email -> Text,
        role -> Text,
        invited_by -> Nullable<Id>,
        letter -> Integer,
        created_at -> Instant,
        expires_at -> Instant,
        accepted_at -> Nullable<Instant>,
        revoked_at -> Nullable<Instant>,
        by_operator -> Bool,
        accepted_by -> Nullable<Id>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    totp (user_id) {
        user_id -> Id,
        secret -> Nullable<Text>,
        pending -> Nullable<Text>,
        kid -> Nullable<Text>,
        created_at -> Instant,
        confirmed_at -> Nullable<Instant>,
        last_step -> Nullable<BigInt>,
        failures -> Integer,
        locked_until -> Nullable<Instant>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::Id;

    recovery_codes (user_id, hash) {
        user_id -> Id,
        hash -> Text,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::Instant;

    failed_attempts (seq) {
        seq -> BigInt,
        account -> Text,
        address -> Text,
        at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::Instant;

    failures_in_a_row (account) {
        account -> Text,
        failures -> Integer,
        last_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    api_tokens (id) {
        id -> Id,
        hash -> Text,
        prefix -> Text,
        name -> Text,
        creator_id -> Id,
        organization_id -> Id,
        role -> Text,
        created_at -> Instant,
        expires_at -> Nullable<Instant>,
        last_used_at -> Nullable<Instant>,
        revoked_at -> Nullable<Instant>,
        session_id -> Nullable<Id>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    services (id) {
        id -> Id,
        name -> Text,
        created_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    service_keys (id) {
        id -> Id,
        service_id -> Id,
        hash -> Text,
        prefix -> Text,
        created_at -> Instant,
        last_used_at -> Nullable<Instant>,
    }
}

table! {
    use crate::store::types::Id;

    reporting_lines (organization_id, manager_id, user_id) {
        organization_id -> Id,
        manager_id -> Id,
        user_id -> Id,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    known_addresses (user_id, block) {
        user_id -> Id,
        block -> Text,
        last_at -> Instant,
    }
}

table! {
    use crate::store::types::Id;

    active_organizations (user_id) {
        user_id -> Id,
        organization_id -> Id,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    known_devices (user_id, device, network) {
        user_id -> Id,
        device -> Text,
        network -> Text,
        last_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    slug_aliases (slug) {
        slug -> Text,
        organization_id -> Id,
        created_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    join_links (id) {
        id -> Id,
        hash -> Text,
        organization_id -> Id,
        maker_id -> Id,
        role -> Text,
        uses -> Nullable<Integer>,
        used -> Integer,
        created_at -> Instant,
        expires_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    webhooks (id) {
        id -> Id,
        organization_id -> Id,
        owner_id -> Id,
        name -> Nullable<Text>,
        url -> Text,
        events -> Nullable<Text>,
        secret -> Text,
        previous_secret -> Nullable<Text>,
        previous_until -> Nullable<Instant>,
        kid -> Text,
        created_at -> Instant,
        failing_since -> Nullable<Instant>,
        disabled_at -> Nullable<Instant>,
        disabled_why -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    webhook_deliveries (webhook_id, id) {
        id -> Id,
        webhook_id -> Id,
        event -> Text,
        at -> Instant,
        user_id -> Nullable<Id>,
        session_id -> Nullable<Id>,
        kept_session_id -> Nullable<Id>,
        person -> Nullable<Text>,
        attempts -> Integer,
        next_attempt_at -> Nullable<Instant>,
        last_status -> Nullable<Integer>,
        last_error -> Nullable<Text>,
        delivered_at -> Nullable<Instant>,
        given_up_at -> Nullable<Instant>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::Id;

    searchable_people (organization_id, user_id) {
        organization_id -> Id,
        user_id -> Id,
        text -> Text,
        number -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    imports (id) {
        id -> Id,
        source -> Text,
        options -> Text,
        state -> Text,
        holder -> Id,
        started_at -> Instant,
        seen_at -> Instant,
        ended_at -> Nullable<Instant>,
        rows_done -> BigInt,
        created -> BigInt,
        updated -> BigInt,
        unchanged -> BigInt,
        refused -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::{Id, Instant};

    external_ids (source, external_id) {
        source -> Text,
        external_id -> Text,
        user_id -> Id,
        run_id -> Nullable<Id>,
        imported_at -> Instant,
        password_set_at -> Nullable<Instant>,
        fingerprint -> Text,
        sessions_ended_at -> Nullable<Instant>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::Id;

    external_organizations (source, name) {
        source -> Text,
        name -> Text,
        organization_id -> Id,
        run_id -> Nullable<Id>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::types::Instant;

    signing_keys (kid) {
        kid -> Text,
        alg -> Text,
        since -> Instant,
        signed_at -> Nullable<Instant>,
        sealed_at -> Nullable<Instant>,
    }
}

joinable!(memberships -> users (user_id));
joinable!(memberships -> organizations (organization_id));
joinable!(invitations -> organizations (organization_id));
allow_tables_to_appear_in_same_query!(users, organizations, memberships, sessions, reporting_lines);
allow_tables_to_appear_in_same_query!(identities, workspaces, memberships);
allow_tables_to_appear_in_same_query!(invitations, organizations);
joinable!(slug_aliases -> organizations (organization_id));
allow_tables_to_appear_in_same_query!(organizations, slug_aliases);
allow_tables_to_appear_in_same_query!(api_tokens, sessions);
allow_tables_to_appear_in_same_query!(api_tokens, users);
allow_tables_to_appear_in_same_query!(known_addresses, users);
allow_tables_to_appear_in_same_query!(active_organizations, memberships);
joinable!(service_keys -> services (service_id));
allow_tables_to_appear_in_same_query!(services, service_keys);
joinable!(webhook_deliveries -> webhooks (webhook_id));
allow_tables_to_appear_in_same_query!(webhooks, webhook_deliveries);
joinable!(external_ids -> users (user_id));
allow_tables_to_appear_in_same_query!(external_ids, users);
allow_tables_to_appear_in_same_query!(external_ids, sessions);
allow_tables_to_appear_in_same_query!(external_ids, legacy_sessions);
allow_tables_to_appear_in_same_query!(external_ids, known_devices);
allow_tables_to_appear_in_same_query!(users, known_devices);
