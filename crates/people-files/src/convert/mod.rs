//! From cells to values: dates, roles, names, secrets. No I/O.

pub(crate) mod date;
pub(crate) mod name;
pub(crate) mod role;
pub(crate) mod value;
