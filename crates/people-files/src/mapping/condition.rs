//! Which rows count: `where = { providerId = "credential" }`.

use std::fmt;

use serde::Deserialize;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

use crate::path::Path;

/// Paths and what they must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conditions(pub Vec<(Path, Condition)>);

#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// `"null"`: nothing, or an empty text.
    Null,
    /// `"not-null"`
    NotNull,
    /// A boolean, however it is written.
    Is(bool),
    /// One of these texts; a `*` in one stands for any characters.
    OneOf(Vec<String>),
}

impl<'de> Deserialize<'de> for Conditions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Conditions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("columns and what they hold, such as { provider = \"slack\" }")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Conditions, A::Error> {
                let mut pairs = Vec::new();
                while let Some((text, condition)) = map.next_entry::<String, Condition>()? {
                    pairs.push((Path::parse(&text).map_err(de::Error::custom)?, condition));
                }
                Ok(Conditions(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl<'de> Visitor<'de> for Value {
            type Value = Condition;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a text, a number, true, false, \"null\", \"not-null\" or a list of texts",
                )
            }

            fn visit_bool<E>(self, value: bool) -> Result<Condition, E> {
                Ok(Condition::Is(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Condition, E> {
                Ok(Condition::OneOf(vec![value.to_string()]))
            }

            fn visit_str<E>(self, text: &str) -> Result<Condition, E> {
                Ok(match text {
                    "null" => Condition::Null,
                    "not-null" => Condition::NotNull,
                    _ => Condition::OneOf(vec![text.to_owned()]),
                })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Condition, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Condition::OneOf)
            }
        }
        deserializer.deserialize_any(Value)
    }
}
