//! The body of calls that need nothing but a token from a letter.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::http::field::{Parsed, acceptable};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailedToken {
    /// What stands behind `token=` in the letter's link.
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = String, example = "u8H1VYkQ3mLw9TtR5nYc1JhF8bGd2SaEk7Qv0ZpX3mA")]
    pub token: Parsed<String>,
}
