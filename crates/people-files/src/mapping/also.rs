//! Further tables, files, or lists inside a row, and what joins them.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::condition::Conditions;
use super::error::MappingError;
use super::source::OneOrMore;
use crate::path::Path;

/// `[also.NAME]`: rows that belong to a person. `NAME.column` in a `from` is their column.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Also {
    /// The table in a database, or the key of a JSON object that has several lists; NAME without it. With `--with
    /// NAME=FILE` it is that file. The first that exists counts.
    #[serde(default)]
    pub from: OneOrMore,
    /// A list inside the row, instead of `from` and `on`.
    #[serde(default)]
    pub inside: Option<Path>,
    #[serde(default)]
    pub on: On,
    /// Only rows for which all of these hold.
    #[serde(default, rename = "where")]
    pub conditions: Conditions,
    /// Whether the table may be missing.
    #[serde(default)]
    pub optional: bool,
}

/// `{ userId = "id" }`: a column here, and what it equals: a column of the person, or `OTHER.column`. Of several pairs
/// one is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct On(pub Vec<(Path, Path)>);

impl<'de> Deserialize<'de> for On {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = On;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a column of this table and what it equals, such as { userId = \"id\" }",
                )
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<On, A::Error> {
                let mut pairs = Vec::new();
                while let Some((here, there)) = map.next_entry::<String, String>()? {
                    let path = |text: &str| Path::parse(text).map_err(de::Error::custom);
                    pairs.push((path(&here)?, path(&there)?));
                }
                Ok(On(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

impl Also {
    /// Names of the others that this one is joined to.
    pub(crate) fn needs<'a>(
        &'a self,
        all: &'a BTreeMap<String, Self>,
    ) -> impl Iterator<Item = &'a str> {
        let on = self.on.0.iter().map(|(_, there)| there);
        let names = move |path: &Path| {
            all.keys()
                .filter(|name| path.mentions(name))
                .map(|name| &**name)
                .collect::<Vec<_>>()
        };
        on.chain(&self.inside).flat_map(names)
    }
}

pub(super) fn check(all: &BTreeMap<String, Also>) -> Result<(), MappingError> {
    for (name, also) in all {
        if also.inside.is_some() != also.on.0.is_empty() {
            return Err(MappingError::rule(format!(
                "[also.{name}] needs either `on` = {{ its_column = \"column of the person\" }} or `inside` = \"a list in the row\""
            )));
        }
        let mut above = vec![&**name];
        let mut next = vec![&**name];
        while let Some(one) = next.pop() {
            for needed in all.get(one).into_iter().flat_map(|also| also.needs(all)) {
                if needed == name {
                    return Err(MappingError::rule(format!(
                        "[also.{name}] is joined to itself"
                    )));
                }
                if !above.contains(&needed) {
                    above.push(needed);
                    next.push(needed);
                }
            }
        }
    }
    Ok(())
}
