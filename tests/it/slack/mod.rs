//! Signing in with Slack, from the button to the token.

mod admission;
mod beginning;
mod callback;
mod codes;
mod faults;
mod linking;
