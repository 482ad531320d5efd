//! Where a value comes from: one path or several, of which the first with a value counts.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::path::Path;

/// `"a"` or `["a", "b"]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OneOrMore(pub Vec<String>);

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = OneOrMore;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMore, E> {
                Ok(OneOrMore(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<OneOrMore, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(OneOrMore)
            }
        }
        deserializer.deserialize_any(Texts)
    }
}

/// What `from` holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source(pub Vec<Path>);

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let OneOrMore(texts) = OneOrMore::deserialize(deserializer)?;
        let paths = texts
            .iter()
            .map(|text| Path::parse(text).map_err(de::Error::custom));
        paths.collect::<Result<_, _>>().map(Self)
    }
}

/// A field that can be written as its `from` alone.
pub(super) trait Field<'de>: Sized {
    fn from_source(source: Source) -> Self;

    /// # Errors
    /// Those of the table itself, so that an unknown key is named.
    fn from_table<D: Deserializer<'de>>(table: D) -> Result<Self, D::Error>;
}

pub(super) fn field<'de, F: Field<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<F, D::Error> {
    struct Either<F>(PhantomData<F>);
    impl<'de, F: Field<'de>> Visitor<'de> for Either<F> {
        type Value = F;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the name of a column, a list of names, or a table with `from`")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<F, E> {
            let path = Path::parse(text).map_err(E::custom)?;
            Ok(F::from_source(Source(vec![path])))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<F, A::Error> {
            Source::deserialize(SeqAccessDeserializer::new(list)).map(F::from_source)
        }

        fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<F, A::Error> {
            F::from_table(MapAccessDeserializer::new(table))
        }
    }
    deserializer.deserialize_any(Either(PhantomData))
}
