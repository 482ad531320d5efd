//! The body of calls that take no fields.

use crate::http::body_macro::body;

body! {
    /// Nothing, or an empty object.
    pub struct NoFields {}
}
