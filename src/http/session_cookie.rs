//! The session cookie. NextAuth has the same name for its own, so a browser may still have that of an earlier system,
//! perhaps in parts: `NAME.0`, `NAME.1` and so on. Nothing deletes it but a session of ours that replaces it.

use actix_web::http::header::{HeaderMap, HeaderValue, SET_COOKIE};

use super::cookies::{self, Cookie};
use super::error_code::ErrorCode;
use super::settings::Settings;
use crate::domain::cookie_parts::part_number;

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

/// What a new session of ours replaces.
pub(super) struct Replaced<'a> {
    /// The request's headers.
    pub sent: &'a HeaderMap,
    /// The cookies of the system whose sessions are exchanged.
    pub legacy: &'a [String],
    pub settings: &'a Settings,
}

impl Replaced<'_> {
    /// If the answer sets a session of ours, deletes the earlier system's, and the parts of one under our name: after a
    /// sign-out they would count again. Below a path, deletes the cookie of the whole host too, which earlier versions
    /// set: a browser would send both, and two count as none.
    pub(super) fn delete(self, answer: &mut HeaderMap, is_foreign: impl Fn(&str) -> bool) {
        let own = Cookie::Session.name(self.settings);
        let mut names: Vec<&str> = Vec::new();
        match sets_session(answer, self.settings) {
            None => return,
            Some(Sets::None) => {
                let mut values = Cookie::Session.all(self.sent, self.settings);
                if !values.any(is_foreign) {
                    names.extend(self.of_whole_host());
                }
            }
            Some(Sets::Session) => {
                let is_legacy = |name: &str| {
                    let mut legacy = self.legacy.iter();
                    name != own && legacy.any(|old| name == old || is_part(name, old))
                };
                let sent = cookies::pairs(self.sent).map(|(name, _)| name);
                names.extend(self.of_whole_host());
                names.extend(sent.filter(|name| is_part(name, own) || is_legacy(name)));
            }
        }
        names.sort_unstable();
        names.dedup();
        for name in names {
            if let Ok(cookie) = HeaderValue::try_from(cookies::delete_of_whole_host(name)) {
                answer.append(SET_COOKIE, cookie);
            }
        }
    }

    fn of_whole_host(&self) -> Option<&'static str> {
        (self.settings.base_path() != "/").then(|| Cookie::Session.name(self.settings))
    }
}

/// What an answer sets the session cookie to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sets {
    Session,
    None,
}

/// `None` if the answer leaves the cookie as it is.
pub(super) fn sets_session(answer: &HeaderMap, settings: &Settings) -> Option<Sets> {
    let name = Cookie::Session.name(settings).as_bytes();
    answer.get_all(SET_COOKIE).find_map(|cookie| {
        let value = cookie.as_bytes().strip_prefix(name)?.strip_prefix(b"=")?;
        Some(if value.starts_with(b";") {
            Sets::None
        } else {
            Sets::Session
        })
    })
}

/// Whether a cookie is a part of the cookie `name`.
fn is_part(cookie: &str, name: &str) -> bool {
    part_number(cookie, name).is_some()
}
