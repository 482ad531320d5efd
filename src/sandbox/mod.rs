//! What stands in for foreign services in development and in tests; never part of `serve`.

pub mod mailbox;
pub mod slack;
