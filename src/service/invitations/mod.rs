//! Invitations: a membership for somebody who proves that they read an address's mail.
//!
//! The proof is the link, which is sent by e-mail and shown nowhere else; after accepting, the account has the invited
//! address, verified. See decision 17.

mod accept;
mod accept_with_password;
mod email;
mod invite;
mod list;
mod open_invitation;
mod preview;
mod register;
mod revoke;

pub use accept::accept;
pub use accept_with_password::accept_with_password;
pub(in crate::service) use invite::invite_by_rule;
pub use invite::{Invite, invite};
pub use list::list;
pub use preview::{Invited, preview};
pub use register::{RegisterInvited, create_account, register};
pub use revoke::revoke;
