//! Sessions with one opaque token, for older server-to-server clients.
//!
//! Each request looks the session up in the database, so that its end takes effect everywhere at once. Until the second
//! factor is verified it is a [`LockedSession`], which can only be passed to [`unlock()`] and [`end()`]: only an open
//! session has a [`Caller`](crate::service::Caller).

mod authenticate;
mod end;
mod search;
mod unlock;
pub mod view;

pub(in crate::service) use crate::crypto::session_token::SessionToken;
pub use crate::service::sign_in::token_session::{Begun, Login, login};
pub(in crate::service) use authenticate::identify;
pub use authenticate::{LockedSession, TokenSession, authenticate};
pub use end::end;
pub use search::{FoundPeople, Search, search};
pub use unlock::unlock;
pub use view::{View, view};

/// Whether `text` has the form of a session token.
pub fn is_token(text: &str) -> bool {
    SessionToken::parse(text).is_some()
}
