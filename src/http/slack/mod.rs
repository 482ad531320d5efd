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

use super::query;
use super::settings::Settings;

/// A path of ours as others reach it: built from `PUBLIC_URL` alone, whatever a request says of itself.
fn public(settings: &Settings, path: &str) -> Url {
    let mut url = settings.public_url.clone();
    let base = settings.public_url.path().trim_end_matches('/');
    url.set_path(&format!("{base}{path}"));
    url
}

/// Where Slack sends people back to.
fn callback_url(settings: &Settings) -> Url {
    public(settings, "/api/auth/slack/callback")
}
