//! Whether the columns are there that a mapping names.

use std::collections::BTreeSet;

use crate::error::OpenError;
use crate::mapping::Mapping;
use crate::path::Path;
use crate::read::{Table, listed};

/// A column that must be there.
struct Needed<'a> {
    key: String,
    path: &'a Path,
    /// The part of the path below the table.
    column: &'a str,
}

/// Columns of one table that a mapping names.
pub(crate) struct Columns<'a> {
    needed: Vec<Needed<'a>>,
    seen: BTreeSet<String>,
}

/// Rows of JSON may have any keys; so many are remembered.
const MAX_SEEN: usize = 10_000;

impl<'a> Columns<'a> {
    /// Of the people, or of `[also.NAME]`. `skip` and `where` are included where all rows have the same columns: there
    /// a condition on another one is a mistake. What an optional table is joined by is needed if that is among the
    /// `loaded` ones.
    pub(crate) fn of(
        mapping: &'a Mapping,
        also: Option<&str>,
        table: &dyn Table,
        loaded: &BTreeSet<&str>,
    ) -> Self {
        let mut needed = Vec::new();
        let mut need = |key: &str, path: &'a Path| {
            for column in path.roots() {
                let owner = mapping
                    .also
                    .keys()
                    .find(|name| within(column, name).is_some());
                if owner.map(|name| &**name) == also {
                    let column = owner
                        .and_then(|name| within(column, name))
                        .unwrap_or(column);
                    needed.push(Needed {
                        key: key.to_owned(),
                        path,
                        column,
                    });
                }
            }
        };
        for used in mapping.uses().iter().filter(|used| !used.optional) {
            need(used.key, used.path);
        }
        for (name, other) in mapping
            .also
            .iter()
            .filter(|(name, also)| !also.optional || loaded.contains(&***name))
        {
            other
                .on
                .0
                .iter()
                .for_each(|(_, there)| need(&format!("also.{name}.on"), there));
        }
        for (name, other) in mapping.also.iter().filter(|(_, also)| !also.optional) {
            other
                .inside
                .iter()
                .for_each(|path| need(&format!("also.{name}.inside"), path));
        }
        let is_fixed = table.columns().is_some();
        let (key, own) = match also.and_then(|name| mapping.also.get_key_value(name)) {
            None => ("skip".to_owned(), &mapping.skip),
            Some((name, also)) => (format!("also.{name}.where"), &also.conditions),
        };
        for (path, _) in own.0.iter().filter(|_| is_fixed) {
            needed.extend(path.roots().map(|column| Needed {
                key: key.clone(),
                path,
                column,
            }));
        }
        if let Some((name, other)) = also.and_then(|name| mapping.also.get_key_value(name)) {
            // Of several pairs one is enough.
            if let [(here, _)] = &*other.on.0 {
                needed.extend(here.roots().map(|column| Needed {
                    key: format!("also.{name}.on"),
                    path: here,
                    column,
                }));
            }
        }
        let seen = table.columns().into_iter().flatten().cloned().collect();
        Self { needed, seen }
    }

    pub(crate) fn see<'k>(&mut self, keys: impl Iterator<Item = &'k String>) {
        for key in keys {
            if self.seen.len() < MAX_SEEN && !self.seen.contains(key) {
                self.seen.insert(key.clone());
            }
        }
    }

    /// # Errors
    /// The first column that is missing.
    pub(crate) fn check(&self, table: &dyn Table) -> Result<(), OpenError> {
        let is_there = |needed: &&Needed<'_>| {
            self.seen.contains(needed.path.as_str())
                || self
                    .seen
                    .iter()
                    .any(|seen| begins_with_key(needed.column, seen))
        };
        match self.needed.iter().find(|needed| !is_there(needed)) {
            None => Ok(()),
            Some(needed) => Err(OpenError::MissingColumn {
                input: table.name(),
                column: needed.column.to_owned(),
                key: needed.key.clone(),
                known: listed(
                    "It has",
                    self.seen.iter().map(|seen| &**seen),
                    needed.column,
                ),
            }),
        }
    }
}

fn within<'a>(column: &'a str, name: &str) -> Option<&'a str> {
    column.strip_prefix(name)?.strip_prefix('.')
}

/// `profile.name` begins with `profile`, and `profile.name` too.
fn begins_with_key(column: &str, key: &str) -> bool {
    column
        .strip_prefix(key)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
