//! Pagination with `limit` and `cursor`.

use data_encoding::BASE64URL_NOPAD;
use uuid::Uuid;

use super::query::Query;
use crate::domain::Violation;
use crate::domain::page::PageRequest;
use crate::domain::violation::ValidationError;

/// Also the number of items without `limit`.
const MAX_LIMIT: u8 = 100;

/// The requested page of a list ordered by id. Invalid parameters go to `faults`.
pub(super) fn page_request<K>(
    query: &Query,
    faults: &mut Vec<Violation>,
    id: impl FnOnce(Uuid) -> K,
) -> PageRequest<K> {
    page_request_by(query, faults, |key| Uuid::from_slice(key).ok().map(id))
}

/// As [`page_request`] for a list in another order. `key` reads what [`cursor_of`] was given.
pub(super) fn page_request_by<K>(
    query: &Query,
    faults: &mut Vec<Violation>,
    key: impl FnOnce(&[u8]) -> Option<K>,
) -> PageRequest<K> {
    PageRequest {
        limit: query.read("limit", faults, limit).unwrap_or(MAX_LIMIT),
        after: query
            .read("cursor", faults, |text| after(text, key))
            .flatten(),
    }
}

/// The start of the next page, opaque to clients.
pub(super) fn cursor(key: Uuid) -> String {
    cursor_of(key.as_bytes())
}

/// As [`cursor`] for a list in another order.
pub(super) fn cursor_of(key: &[u8]) -> String {
    BASE64URL_NOPAD.encode(key)
}

fn limit(text: &str) -> Result<u8, ValidationError> {
    text.parse()
        .ok()
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or_else(|| {
            let why = format!("Please send a number from 1 to {MAX_LIMIT}.");
            ValidationError::new("invalid_limit", why)
        })
}

/// An empty cursor is the first page: clients send what they have.
fn after<K>(
    text: &str,
    key: impl FnOnce(&[u8]) -> Option<K>,
) -> Result<Option<K>, ValidationError> {
    if text.is_empty() {
        return Ok(None);
    }
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    bytes
        .and_then(|bytes| key(&bytes))
        .map(Some)
        .ok_or_else(|| {
            let why = "Please send the nextCursor of the page before, or leave this out.";
            ValidationError::new("invalid_cursor", why)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_round_trips() {
        let id = Uuid::from_u128(0x0193_9f2e_5d1b_7a20_9c3d_64b1_e0f7_a8c2);
        let key = |text: &str| after(text, |bytes| Uuid::from_slice(bytes).ok());
        assert_eq!(key(&cursor(id)), Ok(Some(id)));
        assert_eq!(key(""), Ok(None));
        let all = "A".repeat(23);
        for text in ["x", "019a9f2e-5d1b-7a20-9c3d-64b1e0f7a8c2", "=", "é", &all] {
            assert!(key(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_page_has_1_to_100_items() {
        assert_eq!((limit("1"), limit("100")), (Ok(1), Ok(100)));
        for text in ["", "0", "101", "-1", "1.5", "many", "99999999999999999999"] {
            assert!(limit(text).is_err(), "{text}");
        }
    }
}
