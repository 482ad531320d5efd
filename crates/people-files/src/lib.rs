//! People from files and databases of other systems.
//!
//! A [`Mapping`] says which column is what; a preset is one for a well-known system. [`open()`] reads the input once,
//! joins and checks its rows, and then hands out [`Line`]s, managers before their reports. Rows wait in a temporary
//! file, so that the memory used does not grow with their number.

mod candidate;
mod columns;
mod convert;
mod error;
mod join;
pub mod mapping;
mod nearest;
mod open;
mod options;
mod order;
pub mod path;
mod person;
pub mod presets;
mod read;
mod spool;
mod value;

pub use candidate::{
    Candidate, Line, Manager, ManagerBy, Membership, Note, NoteCode, Part, Problem, RefusedRow,
    Role, SkippedRow, Slack,
};
pub use error::OpenError;
pub use mapping::{Mapping, MappingError};
pub use open::{People, open};
pub use options::Options;
pub use read::Input;
