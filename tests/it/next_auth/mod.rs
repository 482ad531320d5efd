//! Sessions as the client of NextAuth knows them.

mod artefacts;
mod cookie_calls;
mod places;
mod session;
mod sign_in;
mod sign_out;
