//! Fields that only this API has: the numbers of a page.

use serde_json::Value;

use crate::domain::violation::ValidationError;
use crate::http::field::{FromJson, number};

/// How many results to skip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offset(pub u32);

/// How many results to return, 1–100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size(pub u32);

impl FromJson for Offset {
    fn from_json(value: Value) -> Result<Self, ValidationError> {
        number(
            &value,
            0,
            1_000_000,
            "Please send a whole number from 0 to 1000000.",
        )
        .map(Self)
    }
}

impl FromJson for Size {
    fn from_json(value: Value) -> Result<Self, ValidationError> {
        number(&value, 1, 100, "Please send a whole number from 1 to 100.").map(Self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn page_numbers_are_whole_and_within_bounds() {
        assert_eq!(Offset::from_json(json!(0)), Ok(Offset(0)));
        assert_eq!(Size::from_json(json!(100)), Ok(Size(100)));
        for wrong in [json!(-1), json!(1.5), json!("1"), json!(101), json!([])] {
            assert!(Size::from_json(wrong.clone()).is_err(), "{wrong}");
        }
        assert!(Size::from_json(json!(0)).is_err());
        assert!(Offset::from_json(json!(1_000_001)).is_err());
    }
}
