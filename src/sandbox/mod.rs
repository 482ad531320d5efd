//! Stand-ins for external services in development and tests; `serve` never uses them.

pub mod mailbox;
pub mod slack;
