//! Sign-in with Slack: redirects and cookies around `service::slack`.

pub mod callback;
mod cookies;
mod delivery;
pub mod link;
mod page;
pub mod start;
pub mod token;
pub mod url;
mod way;

use ::url::Url;

use super::settings::Settings;

/// Slack's redirect URL.
fn callback_url(settings: &Settings) -> Url {
    settings.public("/api/auth/slack/callback")
}
