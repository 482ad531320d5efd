//! Sessions for clients of NextAuth (version 4): an HttpOnly cookie, and a CSRF token.

pub(super) mod answer;
pub(super) mod credentials;
pub(super) mod csrf;
pub(super) mod error;
pub(super) mod exchange;
pub(super) mod log;
mod page;
pub(super) mod providers;
mod redirect_target;
mod sent;
pub(super) mod session;
pub(super) mod sign_in_page;
pub(super) mod sign_out;
pub(super) mod sign_out_page;
pub(super) mod slack;
mod typed_email;
