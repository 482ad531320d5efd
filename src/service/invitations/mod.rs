//! Invitations: a place in an organization for whoever proves a mailbox.
//!
//! The proof is the link, which nobody gets but by mail; whoever has accepted has an account with the invited address,
//! proved. See decision 17.

mod accept;
mod accept_with_password;
mod invite;
mod letter;
mod list;
mod look;
mod opened;
mod register;
mod revoke;

pub use accept::accept;
pub use accept_with_password::accept_with_password;
pub(in crate::service) use invite::invite_by_rule;
pub use invite::{Invite, invite};
pub use list::list;
pub use look::{Invited, look};
pub use register::{RegisterInvited, open_account, register};
pub use revoke::revoke;
