//! `hallpass openapi`

use super::{Failure, output};
use crate::http::openapi_json;

pub(super) const EXAMPLES: &str = examples!("hallpass openapi > openapi.json");

pub(super) fn run() -> Result<(), Failure> {
    output::print(&openapi_json())
}
