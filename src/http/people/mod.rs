//! The users of an organization.

pub mod find_user;
pub mod list_users;
mod person;
pub mod remove_user;
pub mod update_user;
