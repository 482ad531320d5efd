//! How e-mails look: the built-in templates, or an operator's own, and what fills them. Pure.

mod samples;
mod sanitize_display_name;
mod template_context;
mod templates;
mod wrap;

pub use template_context::{ACCEPT_INVITATION, Branding, RESET_PASSWORD, page_url};
pub use templates::{TemplateFault, Templates};

/// An e-mail as its recipient sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    pub text: String,
    pub html: String,
}
