//! Integration tests: everything Hallpass promises, checked from outside on both databases.
#![allow(
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod accept_invitation_page;
mod account_export;
mod account_states;
mod api_tokens;
mod architecture;
mod audit;
mod below_a_path;
mod bounds;
mod change_email;
mod change_password;
mod clock;
mod cors;
mod deletion;
mod dependencies;
mod docs;
mod ending_api_tokens;
mod errors;
mod external_ids;
mod failover;
mod feed;
mod forgot_password;
mod gates;
mod hashing_limits;
mod housekeeping;
mod import;
mod imported_passwords;
mod introspection;
mod invitations;
mod join_links;
mod join_page;
mod join_policies;
mod legacy_sessions;
mod lifetimes;
mod limits;
mod lock_order;
mod login;
mod mail;
mod many_instances;
mod members;
mod mfa;
mod migrations;
mod next_auth;
mod notices;
mod openapi_refusals;
mod operations;
mod organizations;
mod outage;
mod outdated_tokens;
mod own_account;
mod own_invitations;
mod own_organizations;
mod pages;
mod password_engine;
mod passwords;
mod people;
mod people_changes;
mod people_search;
mod pgbouncer;
mod plans;
mod postgres_connections;
mod postgres_socket;
mod postgres_tls;
mod pre_hijack;
mod process;
mod profile;
mod reauthentication;
mod refresh;
mod register_member;
mod register_organization;
mod reset_password;
mod revocation;
mod revocations_feed;
mod revoked_callers;
mod role_matrix;
mod security_page;
mod self_service;
mod session_tokens;
mod sessions;
mod sign_in_entry;
mod signing_keys;
mod slack;
mod slack_sandbox;
mod slugs;
mod sockets;
mod standby;
mod support;
mod support_tests;
mod tenant_hosts;
mod tenants;
mod tokens;
mod two_instances;
mod typed_identifiers;
mod typescript_client;
mod undo;
mod unit_of_work;
mod verify_email;
mod webhooks;
mod without_organization;
