//! The body of calls that take none.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

/// Nothing, or an empty object.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoFields {}
