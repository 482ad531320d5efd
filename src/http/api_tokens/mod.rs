//! Tokens that services hold.

mod api_token;
pub mod create;
pub mod list;
pub mod revoke;
