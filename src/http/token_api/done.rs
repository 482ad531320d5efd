//! The answer of calls that return no data.

use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[schema(as = Done)]
pub(crate) struct SuccessResponse {
    /// Always true; failures have an error status.
    #[schema(example = true)]
    success: bool,
}

impl SuccessResponse {
    pub(crate) const YES: Self = Self { success: true };
}
