//! The users of an organization.

pub(super) mod find_user;
pub(super) mod list_users;
mod person;
pub(super) mod remove_user;
pub(super) mod unlock_user;
pub(super) mod update_user;
