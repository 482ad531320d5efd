//! Health checks and the API's documentation.

pub(super) mod docs;
pub(super) mod embedded;
pub(super) mod livez;
pub(super) mod openapi;
pub(super) mod readyz;
#[cfg(test)]
mod reference_page;
