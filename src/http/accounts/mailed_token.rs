//! The body of calls that need nothing but a token from a letter.

use crate::http::body_macro::body;

body! {
    pub struct MailedToken {
        /// What stands behind `token=` in the letter's link.
        #[schema(example = "u8H1VYkQ3mLw9TtR5nYc1JhF8bGd2SaEk7Qv0ZpX3mA")]
        pub token: String,
    }
}
