//! Organizations: creating one, joining one, switching to one, their names and rules.

mod change_slug;
pub mod create;
pub mod delete;
pub mod join;
pub mod last_admin;
pub mod list;
pub mod read;
pub mod register;
pub mod register_into;
pub mod still_has_role;
pub mod switch;
pub mod update;
