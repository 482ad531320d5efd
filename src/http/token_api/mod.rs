//! The token API: `Authorization: Bearer <JWT>`, for browser and mobile apps.

pub mod change_password;
pub(super) mod done;
pub mod end_session;
pub mod login;
pub mod logout;
pub mod logout_all;
pub mod me;
pub(super) mod no_fields;
pub mod refresh;
pub mod register;
pub(super) mod renewed;
pub mod sessions;
pub(super) mod signed_in;
pub mod update_me;
pub(super) mod user;
