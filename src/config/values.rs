//! Parsers for settings with fixed choices, a range of numbers, or a duration.

use std::ops::RangeInclusive;
use std::str::FromStr;

use super::setting_error::{Problem, quoted};
use crate::domain::JoinPolicy;
use crate::domain::lifetimes::OutOfBounds;

/// One of `choices`, ignoring case.
pub(super) fn one_of<T: Copy>(choices: &[(&str, T)]) -> impl Fn(&str) -> Result<T, Problem> {
    move |text| {
        choices
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(text))
            .map(|(_, value)| *value)
            .ok_or_else(|| {
                let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
                Problem::new(
                    format!("{} is not a valid value.", quoted(text)),
                    format!("Use one of: {}.", words.join(", ")),
                )
            })
    }
}

pub(super) fn join_policy(text: &str) -> Result<JoinPolicy, Problem> {
    let policies = [
        JoinPolicy::Open,
        JoinPolicy::Domain,
        JoinPolicy::Invite,
        JoinPolicy::Closed,
    ];
    one_of(&policies.map(|policy| (policy.as_str(), policy)))(text)
}

pub(super) fn switch(text: &str) -> Result<bool, Problem> {
    one_of(&[
        ("on", true),
        ("off", false),
        ("true", true),
        ("false", false),
    ])(text)
}

pub(super) fn number_within(bounds: RangeInclusive<u32>) -> impl Fn(&str) -> Result<u32, Problem> {
    move |text| {
        text.parse()
            .ok()
            .filter(|number| bounds.contains(number))
            .ok_or_else(|| {
                Problem::new(
                    format!("{} is not a number in the allowed range.", quoted(text)),
                    format!("Use a number from {} to {}.", bounds.start(), bounds.end()),
                )
            })
    }
}

/// A number and a unit, within the bounds of the type.
pub(super) fn duration<T: FromStr<Err = OutOfBounds>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|out_of_bounds| {
        Problem::new(
            format!("{} is {out_of_bounds}.", quoted(text)),
            "Write it as a number and a unit, such as 30m, 12h or 7d.",
        )
    })
}
