//! Invitations: a membership for the owner of an e-mail address.
//!
//! The link proves ownership, because it is only ever sent by e-mail. Accepting gives the account the invited address,
//! verified. An account whose address is verified already needs no link. See decisions 17 and 37.

mod accept;
mod accept_with_password;
mod email;
mod invite;
mod list;
mod open_invitation;
mod own;
mod preview;
mod register;
mod revoke;

pub use accept::accept;
pub use accept_with_password::accept_with_password;
pub(in crate::service) use invite::invite_by_rule;
pub use invite::{Invite, invite, invite_by_operator};
pub use list::list;
pub(in crate::service) use open_invitation::is_invited;
pub use own::{OwnInvitation, accept_own, decline, list_own};
pub use preview::{Invited, accepted_at, preview};
pub use register::{RegisterInvited, create_account, register};
pub use revoke::revoke;
