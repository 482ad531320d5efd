//! Hallpass: an identity service in one binary.
//!
//! Data flows one way: `http` and `cli` call `service`, which calls `store`; `domain` is the shared
//! vocabulary. `docs/ARCHITECTURE.md` is the map.

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
