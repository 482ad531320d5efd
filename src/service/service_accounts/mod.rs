//! Other services, which act for themselves with a key of theirs.

pub mod authenticate;
