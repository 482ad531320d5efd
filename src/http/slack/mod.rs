//! Sign-in with Slack: navigations, cookies and redirects around the verbs of `service::slack`.

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

/// Where Slack sends people back to.
fn callback_url(settings: &Settings) -> Url {
    settings.public("/api/auth/slack/callback")
}
