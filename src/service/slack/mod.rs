//! Sign-in with Slack.
//!
//! `begin`, `link` and `reauthenticate` lead to Slack, `callback` handles the way back, and `redeem` exchanges a code and
//! its verifier for the token. `provision_user` finds or creates the user.

mod begin;
mod browser_key;
mod callback;
mod code;
mod link;
mod provision_user;
mod reauthenticate;
mod redeem;
mod refuse;
mod state;
pub(in crate::service) mod unlink;

use std::sync::Arc;

use crate::domain::Role;
use crate::ports::SlackApi;

pub use begin::{Begin, Begun, begin};
pub use browser_key::BrowserKey;
pub use callback::{
    Callback, CallbackError, CallbackOutcome, CallbackResult, ReturnTarget, callback,
};
pub use link::link;
pub use reauthenticate::reauthenticate;
pub use redeem::{Redeem, Redeemed, redeem};
pub use unlink::unlink_identity;

/// The Slack client and the rules for users from Slack.
pub struct Slack {
    pub api: Arc<dyn SlackApi>,
    pub allow_guests: bool,
    /// The role of the first user from a workspace.
    pub first_user_role: Role,
}
