//! Sessions for clients of NextAuth (version 4): an HttpOnly cookie, and a CSRF token.

pub mod answer;
pub mod credentials;
pub mod csrf;
pub mod error;
pub mod log;
mod page;
pub mod providers;
mod redirect_target;
mod sent;
pub mod session;
pub mod sign_in_page;
pub mod sign_out;
pub mod sign_out_page;
pub mod slack;
