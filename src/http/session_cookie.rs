//! The session cookie. NextAuth has the same name for its own, so a browser may still have that of an earlier system,
//! perhaps in parts: `NAME.0`, `NAME.1` and so on. Nothing deletes it but a session of ours that replaces it.

use actix_web::http::header::{HeaderMap, HeaderValue, SET_COOKIE};

use super::cookies::{self, Cookie};
use super::error_code::ErrorCode;
use super::settings::Settings;

/// The value; one of another system does not count beside one of ours.
///
/// # Errors
/// `AuthenticationRequired` without the cookie; `InvalidToken` for two, as another host of the domain may have set
/// one.
pub(super) fn only<'a>(
    headers: &'a HeaderMap,
    settings: &Settings,
    is_foreign: impl Fn(&str) -> bool,
) -> Result<&'a str, ErrorCode> {
    let values: Vec<&str> = Cookie::Session.all(headers, settings).collect();
    let ours = || values.iter().copied().filter(|value| !is_foreign(value));
    match values[..] {
        [] => Err(ErrorCode::AuthenticationRequired),
        [value] => Ok(value),
        _ => {
            let mut ours = ours();
            ours.next()
                .filter(|_| ours.next().is_none())
                .ok_or(ErrorCode::InvalidToken)
        }
    }
}

/// Whether a cookie that is no longer good may be deleted: ours has the scope of the one that deletes it, so that one of
/// another system beside it stays.
pub(super) fn may_be_deleted(
    headers: &HeaderMap,
    settings: &Settings,
    is_foreign: impl Fn(&str) -> bool,
) -> bool {
    let mut values = Cookie::Session.all(headers, settings).peekable();
    values.peek().is_none() || values.any(|value| !is_foreign(value))
}

/// If the answer sets a session of ours, deletes what it replaces: the parts of an earlier system's, and below a path
/// the cookie of the whole host, which earlier versions set; a browser would send both, and two count as none. If it
/// deletes one of ours, the latter goes too.
pub(super) fn delete_replaced(
    sent: &HeaderMap,
    answer: &mut HeaderMap,
    settings: &Settings,
    is_foreign: impl Fn(&str) -> bool,
) {
    let Some(is_new) = sets_session(answer, settings) else {
        return;
    };
    let mut replaced = Vec::new();
    let has_foreign = || Cookie::Session.all(sent, settings).any(&is_foreign);
    if settings.base_path() != "/" && (is_new || !has_foreign()) {
        replaced.push(Cookie::Session.name(settings).to_owned());
    }
    if is_new {
        let name = Cookie::Session.name(settings);
        replaced.extend(parts(sent, name).map(str::to_owned));
    }
    for name in replaced {
        if let Ok(cookie) = HeaderValue::try_from(cookies::delete_of_whole_host(&name)) {
            answer.append(SET_COOKIE, cookie);
        }
    }
}

/// Whether the answer sets the session cookie, to a session or to none.
fn sets_session(answer: &HeaderMap, settings: &Settings) -> Option<bool> {
    let name = Cookie::Session.name(settings).as_bytes();
    answer.get_all(SET_COOKIE).find_map(|cookie| {
        let value = cookie.as_bytes().strip_prefix(name)?.strip_prefix(b"=")?;
        Some(!value.starts_with(b";"))
    })
}

/// The names of the cookie's parts that the request has.
fn parts<'a>(sent: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    cookies::pairs(sent)
        .map(|(part, _)| part)
        .filter(move |part| part_number(part, name).is_some())
}

/// The number of a part of the cookie `name`.
fn part_number(part: &str, name: &str) -> Option<u16> {
    let number = part.strip_prefix(name)?.strip_prefix('.')?;
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse().ok().filter(|_| is_plain)
}
