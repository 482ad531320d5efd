//! Signing in with Slack, from the button to the token.

mod callback;
mod codes;
mod faults;
mod linking;
mod provisioning;
mod removal;
mod self_service;
mod start;
