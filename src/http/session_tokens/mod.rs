//! Session tokens (`/api/v1`): one opaque token of 64 characters, in `?token=`, as Bearer, or in a cookie.

mod carrier;
mod field;
pub mod login;
pub mod logout;
pub mod search;
mod session;
mod tenant;
pub mod unlock;
