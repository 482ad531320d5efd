//! Reading rows, one after the other, from wherever they are.

mod csv;
mod input;
mod json;
mod postgres;
mod sqlite;
mod text;

pub use input::Input;
pub(crate) use input::{also_table, check_with, listed, people_table};

use crate::error::OpenError;
use crate::path::Row;

/// What a row is handed to, with its number.
pub(crate) type Each<'e> = dyn FnMut(u64, Row) -> Result<(), OpenError> + 'e;

/// A list of rows.
pub(crate) trait Table {
    /// For errors: `people.csv`, `table "User" of app.db`.
    fn name(&self) -> String;

    /// What was found out about the form, for the report: "CSV separated by `;`, windows-1252".
    fn form(&self) -> String;

    /// Where all rows have the same ones.
    fn columns(&self) -> Option<&[String]>;

    /// From the first to the last; an error of `each` ends it.
    fn read(&mut self, each: &mut Each<'_>) -> Result<(), OpenError>;
}
