//! How a file is written.

use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, de};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Format {
    #[serde(default, rename = "type")]
    pub file_type: FileType,
    #[serde(default)]
    pub delimiter: Delimiter,
    #[serde(default)]
    pub encoding: TextEncoding,
    #[serde(default)]
    pub date: Option<DateFormat>,
    #[serde(default)]
    pub zone: Zone,
    /// Where the list is in a JSON object: `data.users`.
    #[serde(default)]
    pub path: Option<String>,
    /// Names of the columns of a CSV file without a header. A file that has these names in its first row has one.
    #[serde(default)]
    pub columns: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileType {
    #[default]
    Auto,
    Csv,
    Ndjson,
    Json,
}

/// What separates the cells of a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Delimiter {
    #[default]
    Auto,
    Is(u8),
}

impl<'de> Deserialize<'de> for Delimiter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match (&*text, text.as_bytes()) {
            ("auto", _) => Ok(Self::Auto),
            ("tab", _) => Ok(Self::Is(b'\t')),
            (_, [byte]) if !byte.is_ascii_alphanumeric() && *byte != b'"' => Ok(Self::Is(*byte)),
            _ => Err(de::Error::custom(format!(
                "`delimiter` is auto, tab or one character such as ; and not {text:?}"
            ))),
        }
    }
}

/// Of the characters of a file. JSON and NDJSON are UTF-8 or UTF-16.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum TextEncoding {
    #[default]
    #[serde(rename = "auto")]
    Auto,
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "utf-16le")]
    Utf16Le,
    #[serde(rename = "utf-16be")]
    Utf16Be,
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// How dates are written, where a text can be read in more than one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DateFormat {
    /// `%d.%m.%Y`, as in strftime.
    Pattern(String),
    /// Days since 1899-12-30, with a fraction for the time.
    Excel,
    /// Seconds since 1970.
    Unix,
    /// Milliseconds since 1970.
    UnixMilliseconds,
}

impl<'de> Deserialize<'de> for DateFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use chrono::format::{Item, StrftimeItems};

        let text = String::deserialize(deserializer)?;
        match &*text {
            "excel" => return Ok(Self::Excel),
            "unix" => return Ok(Self::Unix),
            "unix-ms" => return Ok(Self::UnixMilliseconds),
            _ => {}
        }
        let is_pattern = text.contains('%')
            && StrftimeItems::new(&text).all(|item| !matches!(item, Item::Error));
        if is_pattern {
            Ok(Self::Pattern(text))
        } else {
            Err(de::Error::custom(format!(
                "`date` is a pattern such as \"%d.%m.%Y\", or excel, unix or unix-ms, and not {text:?}"
            )))
        }
    }
}

/// The zone of dates that name none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(pub Tz);

impl Default for Zone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let zone = text.parse().map_err(|_| {
            de::Error::custom(format!(
                "`zone` is a name such as \"Europe/Zurich\" or \"UTC\", and not {text:?}"
            ))
        })?;
        Ok(Self(zone))
    }
}
