//! Health checks and the API's documentation.

pub(super) mod docs;
pub(super) mod livez;
pub(super) mod openapi;
pub(super) mod readyz;
mod reference_page;
