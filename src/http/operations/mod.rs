//! What operators and explorers ask: is it alive, is it ready, what can it do.

pub mod docs;
pub mod livez;
pub mod openapi;
pub mod readyz;
mod reference_page;
