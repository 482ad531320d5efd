//! Sessions as the NextAuth client knows them.

mod cookie_calls;
mod redirects;
mod session;
mod sign_in;
mod sign_out;
mod token_confusion;
