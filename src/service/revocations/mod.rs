//! How other services learn which tokens to refuse.

pub mod feed;
pub mod follow;
pub mod list;
mod recent;
pub mod revocation;
