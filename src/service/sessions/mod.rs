//! Sessions: authenticating their tokens, refreshing, listing and ending them.

pub mod authenticate;
pub mod cookie_session;
pub mod csrf;
pub mod end_many;
pub mod end_session;
pub mod end_session_by_link;
pub mod follow_feed;
mod foreign;
pub mod housekeeping;
pub mod introspect;
pub mod lifetimes;
pub mod list_sessions;
pub mod logout;
pub mod reauthenticate;
pub mod refresh;
pub mod revocation_cache;
mod revoked;
