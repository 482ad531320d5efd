//! Signing in with Slack: from the button to the token.
//!
//! `begin` and `link` lead to Slack, `callback` takes the person back, `redeem` hands the token to
//! whoever keeps the code's verifier. `provision_user` says who becomes which user.

mod begin;
mod browser_key;
mod callback;
mod code;
mod link;
mod provision_user;
mod purge;
mod redeem;
mod refuse;
mod state;

use std::sync::Arc;

use crate::domain::Role;
use crate::ports::SlackApi;

pub use begin::{Begin, Begun, begin};
pub use browser_key::BrowserKey;
pub use callback::{
    Callback, CallbackError, CallbackOutcome, CallbackResult, ReturnTarget, callback,
};
pub use link::link;
pub use purge::purge_expired;
pub use redeem::{Redeem, redeem};

/// Slack and the rules for who comes from there.
pub struct Slack {
    pub api: Arc<dyn SlackApi>,
    pub allow_guests: bool,
    /// The role of the first person from a workspace.
    pub first_user_role: Role,
}
