//! Which part of a long list somebody wants: `limit` and `cursor`.

use data_encoding::BASE64URL_NOPAD;
use uuid::Uuid;

use crate::domain::{Fault, UserId};
use crate::http::error::ApiError;
use crate::http::query::Query;

/// Entries, unless somebody asks for another number.
const USUAL: usize = 50;
const MOST: usize = 100;

pub struct Page {
    pub limit: usize,
    /// The last one of the page before; the nil id before the first page.
    pub after: UserId,
}

impl Page {
    /// # Errors
    /// Names the parameter that is none of ours to read.
    pub fn of(query: Query) -> Result<Self, ApiError> {
        let query = query.unambiguous()?;
        let limit = match query.get("limit") {
            None => USUAL,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=MOST).contains(limit))
                .ok_or_else(|| {
                    let why = format!("Please send a number from 1 to {MOST}.");
                    vec![Fault::new("limit", "out_of_range", why)]
                })?,
        };
        let after = match query.get("cursor") {
            None => UserId::NIL,
            Some(text) => after(text).ok_or_else(|| {
                let why = "Please send the nextCursor of the page before.";
                vec![Fault::new("cursor", "invalid_cursor", why)]
            })?,
        };
        Ok(Self { limit, after })
    }
}

/// What leads to the entries after `last`.
pub fn cursor(last: UserId) -> String {
    BASE64URL_NOPAD.encode(last.0.as_bytes())
}

fn after(cursor: &str) -> Option<UserId> {
    let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
    Uuid::from_slice(&bytes).ok().map(UserId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text_and_nonsense_is_none() {
        let id = UserId(Uuid::from_u128(7));
        assert_eq!(after(&cursor(id)), Some(id));
        for nonsense in ["", "x", "AAAA", "!", &"A".repeat(23)] {
            assert_eq!(after(nonsense), None, "{nonsense}");
        }
    }
}
