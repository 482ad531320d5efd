//! Session tokens (`/api/v1`): one opaque token of 64 characters, in `?token=`, as Bearer, or in a cookie.

mod carrier;
mod field;
pub(super) mod login;
pub(super) mod logout;
pub(super) mod search;
mod session;
pub(super) mod unlock;
