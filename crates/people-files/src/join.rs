//! Rows of further tables that belong to a person.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value;

use crate::columns::Columns;
use crate::error::OpenError;
use crate::mapping::{Also, Condition, Conditions, Mapping, Section};
use crate::path::{Joined, Row};
use crate::read::{Input, also_table};
use crate::spool::Spool;
use crate::value::{boolean_of, is_nothing, text_of};

/// More rows of a person than this are a mapping that joins by the wrong column.
const MAX_ROWS: usize = 1_000;

/// `[also.…]` of a mapping, each behind those that it is joined to.
pub(crate) struct Joins<'m> {
    all: Vec<(&'m str, &'m Also)>,
}

/// More than a thousand rows of one person.
pub(crate) struct TooManyRows;

impl<'m> Joins<'m> {
    pub(crate) fn new(mapping: &'m Mapping) -> Self {
        let mut all: Vec<(&str, &Also)> = Vec::new();
        // No circles: the mapping has been checked. So each round finds one that needs nothing more.
        while all.len() < mapping.also.len() {
            let known =
                |name: &str, all: &[(&str, &Also)]| all.iter().any(|(known, _)| *known == name);
            let before = all.len();
            for (name, also) in &mapping.also {
                if !known(name, &all) && also.needs(&mapping.also).all(|needed| known(needed, &all))
                {
                    all.push((name, also));
                }
            }
            if all.len() == before {
                break;
            }
        }
        Self { all }
    }

    /// Copies the tables to where their rows can be looked up, and says which of them exist.
    ///
    /// # Errors
    /// One is missing, or cannot be read.
    pub(crate) fn load(
        &self,
        input: &Input,
        mapping: &Mapping,
        spool: &Spool,
    ) -> Result<BTreeSet<&'m str>, OpenError> {
        let mut loaded = BTreeSet::new();
        for (number, (name, also)) in self.all.iter().enumerate() {
            if also.inside.is_some() {
                continue;
            }
            let Some(mut table) = also_table(input, name, also, mapping)? else {
                continue;
            };
            let mut columns = Columns::of(mapping, Some(name), &*table, &loaded);
            if table.columns().is_some() {
                columns.check(&*table)?;
            }
            let mut is_empty = true;
            table.read(&mut |_, row| {
                is_empty = false;
                columns.see(row.keys());
                let alone = Joined::alone(&row);
                if !also.conditions.all_hold(&alone) {
                    return Ok(());
                }
                let keys = also.on.0.iter().flat_map(|(here, _)| here.values(&alone));
                spool.add_joined(
                    number,
                    &keys.map(|key| text_of(&key)).collect::<Vec<_>>(),
                    &row,
                )
            })?;
            if !is_empty {
                columns.check(&*table)?;
            }
            loaded.insert(*name);
        }
        spool.end_joined()?;
        Ok(loaded)
    }

    /// The tables that a section reads, and those they are joined by.
    pub(crate) fn read_by(&self, section: Section, mapping: &Mapping) -> Vec<usize> {
        let uses = mapping.uses();
        let mut wanted: Vec<bool> = self
            .all
            .iter()
            .map(|(name, _)| {
                uses.iter()
                    .any(|used| used.section == section && used.path.mentions(name))
            })
            .collect();
        for number in (0..self.all.len()).rev() {
            if wanted.get(number) == Some(&true)
                && let Some((_, also)) = self.all.get(number)
            {
                for needed in also.needs(&mapping.also) {
                    let at = self.all.iter().position(|(name, _)| *name == needed);
                    if let Some(wanted) = at.and_then(|at| wanted.get_mut(at)) {
                        *wanted = true;
                    }
                }
            }
        }
        wanted
            .iter()
            .enumerate()
            .filter(|(_, wanted)| **wanted)
            .map(|(number, _)| number)
            .collect()
    }

    /// The row with each combination of rows of these tables; of a table without one, with none.
    pub(crate) fn expand<'a>(
        &self,
        row: &'a Row,
        email: Option<&Rc<str>>,
        tables: &[usize],
        spool: &Spool,
    ) -> Result<Result<Vec<Joined<'a>>, TooManyRows>, OpenError>
    where
        'm: 'a,
    {
        let mut expanded = vec![Joined {
            email: email.cloned(),
            ..Joined::alone(row)
        }];
        for &number in tables {
            let Some((name, also)) = self.all.get(number) else {
                continue;
            };
            let mut next = Vec::new();
            for joined in expanded {
                let rows = rows(number, also, &joined, spool)?;
                if rows.len() + next.len() > MAX_ROWS {
                    return Ok(Err(TooManyRows));
                }
                if rows.is_empty() {
                    next.push(joined.and(name, None));
                } else {
                    next.extend(
                        rows.into_iter()
                            .map(|row| joined.clone().and(name, Some(row))),
                    );
                }
            }
            expanded = next;
        }
        Ok(Ok(expanded))
    }

    /// The row with the first row of each of these tables, and the tables that have several.
    pub(crate) fn first<'a>(
        &self,
        row: &'a Row,
        tables: &[usize],
        spool: &Spool,
    ) -> Result<(Joined<'a>, Vec<&'m str>), OpenError>
    where
        'm: 'a,
    {
        let mut first = Joined::alone(row);
        let mut several = Vec::new();
        for &number in tables {
            let Some((name, also)) = self.all.get(number) else {
                continue;
            };
            let rows = rows(number, also, &first, spool)?;
            if rows.len() > 1 {
                several.push(*name);
            }
            first = first.and(name, rows.into_iter().next());
        }
        Ok((first, several))
    }
}

fn rows(
    number: usize,
    also: &Also,
    joined: &Joined<'_>,
    spool: &Spool,
) -> Result<Vec<Rc<Row>>, OpenError> {
    if let Some(inside) = &also.inside {
        let found = inside.values(joined).into_iter().flat_map(elements);
        let fitting = found.filter(|row| also.conditions.all_hold(&Joined::alone(row)));
        return Ok(fitting.map(Rc::new).collect());
    }
    let mut rows: Vec<Rc<Row>> = Vec::new();
    for (_, there) in &also.on.0 {
        if let Some(key) = there.values(joined).first() {
            let found = spool.joined(number, &text_of(key))?;
            rows.extend(
                found
                    .into_iter()
                    .filter(|row| !rows.contains(row))
                    .collect::<Vec<_>>(),
            );
        }
    }
    Ok(rows)
}

/// Of a list; what is no object is one with a `value`.
fn elements(value: Value) -> Vec<Row> {
    match value {
        Value::Array(items) => items.into_iter().flat_map(elements).collect(),
        Value::Object(row) => vec![row],
        Value::String(text) if text.trim_start().starts_with(['[', '{']) => {
            match serde_json::from_str(&text) {
                Ok(inner @ (Value::Array(_) | Value::Object(_))) => elements(inner),
                _ => Vec::new(),
            }
        }
        other if is_nothing(&other) => Vec::new(),
        other => vec![Row::from_iter([("value".to_owned(), other)])],
    }
}

impl Conditions {
    pub(crate) fn all_hold(&self, joined: &Joined<'_>) -> bool {
        self.0
            .iter()
            .all(|(path, condition)| condition.holds(&path.values(joined)))
    }

    /// The first that holds.
    pub(crate) fn any_holds(&self, joined: &Joined<'_>) -> Option<&str> {
        let holds = self
            .0
            .iter()
            .find(|(path, condition)| condition.holds(&path.values(joined)));
        holds.map(|(path, _)| path.as_str())
    }
}

impl Condition {
    fn holds(&self, values: &[Value]) -> bool {
        match self {
            Self::Null => values.is_empty(),
            Self::NotNull => !values.is_empty(),
            Self::Is(wanted) => values.first().and_then(boolean_of).unwrap_or(false) == *wanted,
            Self::OneOf(patterns) => values.iter().any(|value| {
                let text = text_of(value);
                patterns.iter().any(|pattern| matches(pattern, &text))
            }),
        }
    }
}

/// A `*` in the pattern is any characters.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|start| text.strip_prefix(start)) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(end) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text, fits) in [
            ("slack", "slack", true),
            ("slack", "slack2", false),
            ("slack*", "slack2", true),
            ("*capabilities", "wp_2_capabilities", true),
            ("wp_*capabilities", "wp_capabilities", true),
            ("wp_*capabilities", "wp_user_level", false),
            ("a*a", "a", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }
}
