//! Health checks and the API's documentation.

pub mod docs;
pub mod livez;
pub mod openapi;
pub mod readyz;
mod reference_page;
