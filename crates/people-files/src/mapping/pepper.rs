//! What stored-passwords reads, in mapping files.

use serde::{Deserialize, Deserializer, de};
use stored_passwords::{PepperName, Scheme};

use crate::nearest::nearest;

pub(super) fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PepperName, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(de::Error::custom)
}

pub(super) fn scheme<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Scheme>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|error| {
        let names = Scheme::ALL
            .iter()
            .flat_map(|(_, names)| names.iter().copied());
        let meant = nearest(&text, names).map(|meant| format!(". Did you mean {meant:?}?"));
        de::Error::custom(format!(
            "scheme {text:?}: {error}{}",
            meant.unwrap_or_default()
        ))
    })
}
