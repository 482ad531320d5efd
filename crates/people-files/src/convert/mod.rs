//! From cells to values: dates, roles, names, secrets. No I/O.

pub(crate) mod date;
pub(crate) mod decrypt;
pub(crate) mod migration_url;
pub(crate) mod name;
pub(crate) mod role;
pub(crate) mod totp;
