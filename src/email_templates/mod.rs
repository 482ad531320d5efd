//! How letters look: the templates that are built in, or an operator's own, and what they are filled with. Pure.

mod filling;
mod samples;
mod tame;
mod templates;

pub use filling::Surroundings;
pub use templates::{TemplateFault, Templates};

/// A letter as its recipient shall see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    pub text: String,
    pub html: String,
}
