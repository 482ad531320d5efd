//! Sessions that one opaque token carries, for older server-to-server clients.
//!
//! Such a session is looked up in the database at each request, so what ends it ends it everywhere at once. While
//! it lacks its second factor it is a [`LockedSession`], of which nothing but [`unlock`] and [`end`]
//! can be asked: only an open one has a [`Caller`](crate::service::Caller).

mod authenticate;
mod end;
mod search;
mod unlock;
pub mod view;

pub use crate::crypto::session_token::SessionToken;
pub use crate::service::sign_in::token_session::{Begun, Login, login};
pub use authenticate::{LockedSession, TokenSession, authenticate};
pub use end::end;
pub use search::{FoundPeople, Search, search};
pub use unlock::unlock;
pub use view::{View, view};
