//! The body of calls that ask for a letter.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::domain::Email;
use crate::http::field::{Parsed, acceptable};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SomeAddress {
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = String, format = "email", max_length = 254, example = "ada@example.com")]
    pub email: Parsed<Email>,
}
