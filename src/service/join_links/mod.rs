//! Join links: anyone who has one, and an account, joins the organization with the link's role.
//!
//! A link is worth what its maker could still grant: it ends when they are no longer an admin of the organization,
//! unless another admin has taken it over.
//! See decision 37.

mod create;
mod join;
mod list;
mod open_link;
mod preview;
mod revoke;
mod take_over;

pub use create::{CreateJoinLink, CreatedJoinLink, create};
pub use join::join;
pub use list::list;
pub use preview::{Preview, preview};
pub use revoke::revoke;
pub use take_over::take_over;
