//! Sign-in with Slack: redirects and cookies around `service::slack`.

pub(super) mod callback;
mod cookies;
mod delivery;
pub(super) mod link;
mod page;
pub(super) mod reauthenticate;
pub(super) mod start;
pub(super) mod token;
pub(super) mod url;
mod way;
