//! `hallpass migrate`

use super::{Failure, operator, output};
use crate::app::App;
use crate::config::Variables;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass migrate",
    "DATABASE_URL=postgres://hallpass@db/hallpass hallpass migrate",
);

pub(super) async fn run(variables: &Variables) -> Result<(), Failure> {
    let config = operator::read_settings(variables)?;
    let applied = App::migrate(&config).await?;
    if applied.is_empty() {
        return output::print("The database is up to date.");
    }
    output::print(&format!("Applied {}.", applied.join(", ")))
}
