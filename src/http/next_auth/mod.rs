//! Sessions as the clients of NextAuth (version 4) know them: an HttpOnly cookie, and a token against forged forms.

pub mod answer;
pub mod credentials;
pub mod csrf;
pub mod error;
pub mod log;
mod page;
mod place;
pub mod providers;
mod sent;
pub mod session;
pub mod sign_in_page;
pub mod sign_out;
pub mod sign_out_page;
pub mod slack;
