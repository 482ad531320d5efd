//! API tokens for services.

mod api_token;
pub mod create;
pub mod list;
pub mod revoke;
