//! The address of a failed sign-in, which the page shows again. It travels in a cookie of one minute, because URLs get
//! into logs and histories.

use actix_web::http::header::{HeaderMap, HeaderValue};
use data_encoding::BASE64URL_NOPAD;

use crate::domain::Email;
use crate::http::cookies::Cookie;
use crate::http::settings::Settings;

/// Seconds, enough for a redirect.
const KEPT: i64 = 60;

/// `Set-Cookie` with the address; `None` for what is no address.
pub(super) fn keep(typed: &str, settings: &Settings) -> Option<HeaderValue> {
    let email = Email::parse(typed).ok()?;
    let value = BASE64URL_NOPAD.encode(email.as_str().as_bytes());
    HeaderValue::try_from(Cookie::TypedEmail.set(&value, KEPT, settings)).ok()
}

/// The address of the cookie.
pub(super) fn read(headers: &HeaderMap, settings: &Settings) -> Option<Email> {
    let value = Cookie::TypedEmail.only(headers, settings)?;
    let bytes = BASE64URL_NOPAD.decode(value.as_bytes()).ok()?;
    Email::parse(std::str::from_utf8(&bytes).ok()?).ok()
}
