//! What operators do and see.

pub mod import;
pub mod keys;
pub mod list_audit;
pub mod maintenance;
pub mod operator;
pub mod prove;
pub mod public_keys;
pub mod purge;
pub mod readiness;
pub mod rotate_keys;
pub mod security_txt;
