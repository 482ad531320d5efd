//! The answer of calls that have nothing to tell.

use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub struct Done {
    /// Always true; failures have an error status.
    #[schema(example = true)]
    success: bool,
}

impl Done {
    pub const YES: Self = Self { success: true };
}
