//! Hallpass: an identity service in one binary.
//!
//! Calls go one way: `http` and `cli` call `service`, which calls `store`; `domain` has the shared
//! types. See `docs/ARCHITECTURE.md`.

pub mod adapters;
pub mod app;
pub mod cli;
pub mod config;
pub mod crypto;
pub mod domain;
pub mod email_templates;
pub mod http;
pub mod ports;
pub mod sandbox;
pub mod service;
pub mod store;
pub mod texts;
