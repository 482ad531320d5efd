//! The body of calls that request an e-mail.

use crate::domain::Email;
use crate::http::body_macro::body;

body! {
    pub struct SomeAddress {
        #[schema(value_type = String, format = "email", max_length = 254, example = "ada@example.com")]
        pub email: Email,
    }
}
