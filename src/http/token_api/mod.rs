//! The token API: `Authorization: Bearer <JWT>`, for browser and mobile apps.

pub(super) mod change_password;
pub(super) mod done;
pub(super) mod end_session;
pub(super) mod login;
pub(super) mod logout;
pub(super) mod logout_all;
pub(super) mod me;
pub(super) mod no_fields;
pub(super) mod options;
pub(super) mod reauthenticate;
pub(super) mod refresh;
pub(super) mod register;
pub(super) mod renewed;
pub(super) mod sessions;
pub(super) mod signed_in;
pub(super) mod update_me;
pub(super) mod user;
