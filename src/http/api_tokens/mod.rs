//! API tokens for services.

mod api_token;
pub(super) mod create;
pub(super) mod list;
pub(super) mod revoke;
