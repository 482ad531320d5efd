//! Sessions as the NextAuth client knows them.

mod cookie_calls;
mod foreign_cookies;
mod redirects;
mod session;
mod sign_in;
mod sign_out;
mod token_confusion;
