//! Invitations: a membership for the owner of an e-mail address.
//!
//! The link proves ownership, because it is only ever sent by e-mail. Accepting gives the account the invited address,
//! verified. See decision 17.

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
pub use invite::{Invite, invite, invite_by_operator};
pub use list::list;
pub(in crate::service) use open_invitation::is_invited;
pub use preview::{Invited, preview};
pub use register::{RegisterInvited, create_account, register};
pub use revoke::revoke;
