//! Every URL on one screen.

use actix_web::middleware::from_fn;
use actix_web::web;
#[cfg(test)]
use utoipa::OpenApi;

use super::route_pattern::RoutePattern;
use super::{
    accounts, api_tokens, audit, gates, introspect, layers, mfa, next_auth, operations,
    organizations, pages, people, revocations, session_tokens, slack, token_api, token_keys,
    webhooks,
};

/// One table for both the router and the OpenAPI document.
///
/// Each path is an actix resource, because a resource answers other methods with 405 and `Allow`, but a bare route
/// with 404. A second path after `+` is the same resource.
macro_rules! routes {
    ($($path:literal $(+ $below:literal)? => $($method:ident $($handler:ident)::+),+;)+) => {
        pub(crate) fn configure(config: &mut web::ServiceConfig) {
            $(config.service(
                web::resource([$path $(, $below)?])
                    .app_data(RoutePattern($path))
                    .wrap(from_fn(layers::each_route))
                    $(.route(method::$method().to($($handler)::+)))+
            );)+
        }

        #[cfg(test)]
        #[derive(OpenApi)]
        #[openapi(paths($($($($handler)::+),+),+))]
        pub(super) struct Documented;

        #[cfg(test)]
        pub(super) const REGISTERED: &[(&str, &[&str])] =
            &[$(($path, &[$(stringify!($method)),+])),+];
    };
}

routes! {
    "/api/auth/login"           => post token_api::login::login;
    "/api/auth/register"        => post token_api::register::register;
    "/api/auth/options"         => get token_api::options::options;
    "/api/auth/refresh"         => post token_api::refresh::refresh;
    "/api/auth/me"              => get token_api::me::me, patch token_api::update_me::update_me;
    "/api/auth/change-password" => post token_api::change_password::change_password;
    "/api/auth/reauthenticate"  => post token_api::reauthenticate::reauthenticate;
    "/api/auth/sessions"        => get token_api::sessions::sessions;
    "/api/auth/sessions/{id}"   => delete token_api::end_session::end_session;
    "/api/auth/logout"          => post token_api::logout::logout;
    "/api/auth/logout-all"      => post token_api::logout_all::logout_all;

    "/api/auth/mfa"                => get mfa::status::status;
    "/api/auth/mfa/totp"           => delete mfa::remove::remove, post mfa::enrol::enrol;
    "/api/auth/mfa/totp/confirm"   => post mfa::confirm::confirm;
    "/api/auth/mfa/recovery-codes" => post mfa::recovery_codes::recovery_codes;
    "/api/auth/mfa/verify"         => post mfa::verify::verify;
    "/api/auth/verify" + "/api/auth/verify/{tail}*" => any gates::verify::verify;
    "/api/auth/verify-or-sign-in" + "/api/auth/verify-or-sign-in/{tail}*" => any gates::verify_or_sign_in::verify_or_sign_in;

    "/api/auth/verify-email"    => post accounts::verify_email::verify_email;
    "/api/auth/resend-verification" => post accounts::resend_verification::resend_verification;
    "/api/auth/forgot-password" => post accounts::forgot_password::forgot_password;
    "/api/auth/reset-password"  => post accounts::reset_password::reset_password;
    "/api/auth/account"         => delete accounts::delete_account::delete_account, get accounts::account::account;
    "/api/auth/set-password"    => post accounts::set_password::set_password;
    "/api/auth/identities/{id}" => delete accounts::unlink_identity::unlink_identity;
    "/api/auth/change-email"    => post accounts::change_email::change_email;
    "/api/auth/account/export"  => get accounts::export_account::export_account;
    "/api/auth/end-session"     => post accounts::end_session::end_session_by_link;
    "/api/auth/undo"            => post accounts::undo::undo;

    "/verify-email"             => get pages::verify_email::open, post pages::verify_email::submit;
    "/change-email"             => get pages::change_email::open, post pages::change_email::submit;
    "/reset-password"           => get pages::reset_password::open, post pages::reset_password::submit;
    "/end-session"              => get pages::end_session::open, post pages::end_session::submit;
    "/undo"                     => get pages::undo::open, post pages::undo::submit;
    "/.well-known/change-password" => get pages::well_known::change_password;
    "/.well-known/security.txt"  => get pages::well_known::security_txt;
    "/.well-known/jwks.json"     => get token_keys::jwks::jwks;
    "/.well-known/oauth-authorization-server" => get token_keys::metadata::metadata;

    "/api/auth/slack/url"       => get slack::url::url;
    "/api/auth/slack/start"     => get slack::start::start;
    "/api/auth/slack/callback"  => get slack::callback::callback;
    "/api/auth/slack/token"     => post slack::token::token;
    "/api/auth/slack/link"      => post slack::link::link;
    "/api/auth/slack/reauthenticate" => post slack::reauthenticate::reauthenticate;

    "/api/organizations"                                 => get organizations::list::own_organizations, post organizations::create::create_organization;
    "/api/organizations/join"                            => post organizations::join_by_link_or_slug::join_by_link_or_slug;
    "/api/organizations/{id}"                            => delete organizations::delete::delete_organization, get organizations::read::organization, patch organizations::update::update_organization;
    "/api/organizations/{id}/join"                       => post organizations::join::join;
    "/api/organizations/{id}/members"                    => get organizations::members::members;
    "/api/organizations/{id}/members/{userId}"           => delete organizations::remove_member::remove_member;
    "/api/organizations/{id}/invitations"                => get organizations::invitations::invitations, post organizations::invite::invite;
    "/api/organizations/{id}/invitations/{invitationId}" => delete organizations::revoke_invitation::revoke_invitation;
    "/api/organizations/{id}/join-links"                 => get organizations::join_links::join_links, post organizations::create_join_link::create_join_link;
    "/api/organizations/{id}/join-links/{linkId}"        => delete organizations::revoke_join_link::revoke_join_link;
    "/api/organizations/{id}/join-links/{linkId}/take-over" => post organizations::take_over_join_link::take_over_join_link;
    "/api/invitations"                                   => get organizations::own_invitations::own_invitations;
    "/api/invitations/{id}/accept"                       => post organizations::accept_own_invitation::accept_own_invitation;
    "/api/invitations/{id}/decline"                      => post organizations::decline_invitation::decline_invitation;
    "/api/invitations/accept"                            => post organizations::accept_invitation::accept_invitation;

    "/accept-invitation"        => get pages::accept_invitation::open, post pages::accept_invitation::submit;

    "/join"                     => get pages::join::open, post pages::join::submit;

    "/api/users"                => get people::list_users::list_users;
    "/api/users/{id}"           => delete people::remove_user::remove_user, get people::find_user::find_user, patch people::update_user::update_user;
    "/api/users/{id}/unlock"    => post people::unlock_user::unlock_user;
    "/api/audit"                => get audit::audit;
    "/api/tokens"               => get api_tokens::list::list_api_tokens, post api_tokens::create::create_api_token;
    "/api/tokens/{id}"          => delete api_tokens::revoke::revoke_api_token;

    "/api/auth/introspect"      => post introspect::introspect_token;
    "/api/revocations"          => get revocations::revocations;

    "/api/webhooks"             => get webhooks::list::list_webhooks, post webhooks::create::create_webhook;
    "/api/webhooks/{id}"        => delete webhooks::delete::delete_webhook, get webhooks::read::webhook, patch webhooks::update::update_webhook;
    "/api/webhooks/{id}/rotate-secret" => post webhooks::rotate_secret::rotate_webhook_secret;
    "/api/webhooks/{id}/deliveries" => get webhooks::deliveries::webhook_deliveries;
    "/api/webhooks/{id}/test"   => post webhooks::test::test_webhook;
    "/api/webhooks/{id}/take-over" => post webhooks::take_over::take_over_webhook;

    "/api/auth/csrf"            => get next_auth::csrf::csrf;
    "/api/auth/providers"       => get next_auth::providers::providers;
    "/api/auth/session"         => get next_auth::session::session, post next_auth::session::update;
    "/api/auth/session/exchange" => post next_auth::exchange::exchange_session;
    "/api/auth/signin"          => get next_auth::sign_in_page::sign_in_page;
    "/api/auth/callback/credentials" => post next_auth::credentials::callback;
    "/api/auth/signin/credentials"   => post next_auth::credentials::signin;
    "/api/auth/signin/slack"    => post next_auth::slack::slack;
    "/api/auth/signout"         => get next_auth::sign_out_page::sign_out_page, post next_auth::sign_out::sign_out;
    "/api/auth/error"           => get next_auth::error::error;
    "/api/auth/_log"            => post next_auth::log::log;

    "/api/v1/login"             => post session_tokens::login::login;
    "/api/v1/unlock"            => post session_tokens::unlock::unlock;
    "/api/v1/logout"            => get session_tokens::logout::logout_by_link, post session_tokens::logout::logout;
    "/api/v1/search"            => post session_tokens::search::search;

    "/livez"                    => get operations::livez::livez;
    "/readyz"                   => get operations::readyz::readyz;
    "/openapi.json"             => get operations::openapi::openapi_json;
    "/docs"                     => get operations::docs::docs;
    "/"                         => get operations::docs::front_door;
}

/// The method under which a route is documented: OpenAPI has no word for every method.
#[cfg(test)]
pub(super) fn in_document(method: &str) -> &str {
    if method == "any" { "get" } else { method }
}

mod method {
    use actix_web::{Route, guard, web};

    pub(super) use actix_web::web::{delete, patch, post};

    /// Every method, known or not.
    pub(super) fn any() -> Route {
        web::route()
    }

    /// What answers GET answers HEAD (RFC 9110 §9.1); the encoder leaves out the body.
    pub(super) fn get() -> Route {
        web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
    }
}
