//! The body of calls that need only the token of an e-mail link.

use crate::http::body_macro::body;

body! {
    pub struct MailedToken {
        /// The token of the e-mail link.
        #[schema(example = "u8H1VYkQ3mLw9TtR5nYc1JhF8bGd2SaEk7Qv0ZpX3mA")]
        pub token: String,
    }
}
