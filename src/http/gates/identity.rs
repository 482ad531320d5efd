//! A visitor's identity in headers, under names that many applications read without being told.

use actix_web::http::header::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::domain::{Email, PersonName};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode;
use crate::service::{Credential, Profile};

/// What is not visible ASCII, and the sign of the encoding itself.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'%');

/// Instead of an empty value, which some proxies drop.
const NONE: &str = "-";

/// All of them, none empty.
///
/// # Errors
/// `NoOrganization` for a visitor who acts in none.
pub(super) fn headers(
    profile: &Profile,
    credential: Credential,
) -> Result<[(HeaderName, HeaderValue); 6], ApiError> {
    let organization = profile.organization.ok_or(ErrorCode::NoOrganization)?;
    let credential = match credential {
        Credential::Session(id) => id.to_string(),
        Credential::ApiToken(id) => id.to_string(),
    };
    let header = |name, value: &str| {
        let name = HeaderName::from_static(name);
        let value = HeaderValue::from_str(value).map_err(|_| {
            ApiError::internal(format!("the visitor's {name} is no value of a header"))
        })?;
        Ok::<_, ApiError>((name, value))
    };
    let email = profile.email.as_ref().map_or(NONE, Email::as_str);
    Ok([
        header("remote-user", &profile.id.to_string())?,
        header("remote-email", email)?,
        header("remote-name", &encoded(&profile.name))?,
        header("remote-groups", organization.role.as_str())?,
        header("x-hallpass-organization", &organization.id.to_string())?,
        header("x-hallpass-session", &credential)?,
    ])
}

/// Percent-encoded UTF-8 (RFC 3986 §2.1).
fn encoded(name: &PersonName) -> String {
    match name.as_str() {
        "" => NONE.to_owned(),
        name => utf8_percent_encode(name, ENCODED).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;

    use super::*;

    fn name(text: &str) -> String {
        encoded(&PersonName::parse(text).unwrap())
    }

    #[test]
    fn a_name_is_visible_ascii() {
        for (text, expected) in [
            ("Ada", "Ada"),
            ("Ada King-O'Neill", "Ada%20King-O'Neill"),
            ("Zoë", "Zo%C3%AB"),
            ("100%", "100%25"),
            ("%41da", "%2541da"),
            ("李小龙", "%E6%9D%8E%E5%B0%8F%E9%BE%99"),
        ] {
            assert_eq!(name(text), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_name_comes_back_and_fits_into_a_header(text in "\\PC{1,201}") {
            if let Ok(parsed) = PersonName::parse(&text) {
                let sent = encoded(&parsed);
                proptest::prop_assert!(!sent.is_empty() && sent.bytes().all(|b| b.is_ascii_graphic()));
                let read = percent_decode_str(&sent).decode_utf8().unwrap();
                proptest::prop_assert_eq!(read, parsed.as_str());
            }
        }
    }
}
