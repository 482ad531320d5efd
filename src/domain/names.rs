//! Names of users, organizations, API tokens and webhooks.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::typed::is_invisible;
use super::violation::ValidationError;

/// Without invisible characters. A joiner (U+200C, U+200D) stays between two characters outside of ASCII, where it may
/// change their form (RFC 5892 appendix A).
fn visible(text: &str) -> String {
    let kept: Vec<char> = text.chars().filter(|&c| !is_invisible(c)).collect();
    let joins = |c: Option<&char>| c.is_some_and(|c| !c.is_ascii() && !is_joiner(*c));
    let is_needed = |at: usize| at > 0 && joins(kept.get(at - 1)) && joins(kept.get(at + 1));
    let characters = kept.iter().enumerate();
    characters
        .filter(|(at, c)| !is_joiner(**c) || is_needed(*at))
        .map(|(_, c)| *c)
        .collect()
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Removes invisible characters, trims the name and normalises it to NFC; rejects names that are empty, too short, too
/// long or contain control characters.
fn normalize(text: &str, min_chars: usize, max_chars: usize) -> Result<String, ValidationError> {
    if text.chars().any(char::is_control) {
        return Err(ValidationError::new(
            "invalid_characters",
            "Please leave out line breaks and control characters.",
        ));
    }
    let name: String = visible(text).trim().nfc().collect();
    let chars = name.chars().count();
    if chars == 0 {
        return Err(ValidationError::new("required", "Please enter a name."));
    }
    if chars < min_chars {
        return Err(ValidationError::new(
            "too_short",
            format!("Please use at least {min_chars} characters."),
        ));
    }
    if chars > max_chars {
        return Err(ValidationError::new(
            "too_long",
            format!("Please use at most {max_chars} characters."),
        ));
    }
    Ok(name)
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $min:literal..=$max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// # Errors
            /// `required`, `too_short`, `too_long` or `invalid_characters`.
            pub fn parse(text: &str) -> Result<Self, ValidationError> {
                normalize(text, $min, $max).map(Self)
            }

            /// A name from another service, without characters we do not allow; `None` if too little
            /// is left.
            pub fn from_elsewhere(text: &str) -> Option<Self> {
                let kept: String = text.chars().filter(|c| !c.is_control()).collect();
                let composed: String = visible(&kept).trim().nfc().take($max).collect();
                Self::parse(&composed).ok()
            }

            /// A name read from the database, which was validated before it was stored.
            pub fn from_stored(name: String) -> Self {
                Self(name)
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// A user's full name, 1–201 characters.
    PersonName, 1..=201
}
name! {
    /// A first or a last name, 1–100 characters.
    GivenOrFamilyName, 1..=100
}
name! {
    /// An organization's name, 2–255 characters.
    OrganizationName, 2..=255
}
name! {
    /// The name of an API token, 1–100 characters.
    ApiTokenName, 1..=100
}
name! {
    /// What a webhook is for, 1–100 characters.
    WebhookName, 1..=100
}

impl PersonName {
    /// Joins first and last name with a space, or takes the only one; `None` without either.
    pub fn join(
        first: Option<&GivenOrFamilyName>,
        last: Option<&GivenOrFamilyName>,
    ) -> Option<Self> {
        match (first, last) {
            (Some(first), Some(last)) => Some(Self(format!("{first} {last}"))),
            (Some(only), None) | (None, Some(only)) => Some(Self(only.to_string())),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_composed() {
        assert_eq!(
            PersonName::parse("  Ame\u{301}lie ").unwrap().as_str(),
            "Amélie"
        );
    }

    #[test]
    fn a_name_loses_what_cannot_be_seen_or_changes_the_direction() {
        let name = |text: &str| PersonName::parse(text).map(|name| name.0);
        for invisible in [
            '\u{ad}',
            '\u{61c}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{2028}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{3164}',
            '\u{feff}',
            '\u{e0041}',
        ] {
            assert_eq!(
                name(&format!("{invisible}A{invisible}da{invisible}")),
                Ok("Ada".into())
            );
            assert_eq!(
                name(&format!(" {invisible} ")).unwrap_err().code,
                "required"
            );
        }
        assert_eq!(name("a\u{301}\u{202e}"), Ok("á".into()));
    }

    #[test]
    fn a_name_keeps_the_joiners_that_scripts_and_emoji_need() {
        for text in [
            "👩\u{200d}🚀 Sally",
            "❤\u{fe0f}",
            "می\u{200c}نو",
            "क्\u{200d}ष",
        ] {
            assert_eq!(PersonName::parse(text).unwrap().as_str(), text);
            assert_eq!(PersonName::from_elsewhere(text).unwrap().as_str(), text);
        }
        assert_eq!(
            PersonName::parse("é\u{200d}\u{200d}é").unwrap().as_str(),
            "éé"
        );
    }

    #[test]
    fn a_name_from_elsewhere_is_cleaned_and_truncated() {
        let name = |text: &str| OrganizationName::from_elsewhere(text).map(|name| name.0);
        assert_eq!(name(" Ac\r\nme\0 "), Some("Acme".into()));
        assert_eq!(name(&"é".repeat(300)), Some("é".repeat(255)));
        assert_eq!(name("\u{7}"), None);
        assert_eq!(name("A"), None);
    }

    #[test]
    fn names_with_control_characters_or_a_bad_length_are_rejected() {
        let code = |text: &str| GivenOrFamilyName::parse(text).unwrap_err().code;
        assert_eq!(code("a\r\nBcc: x"), "invalid_characters");
        assert_eq!(code("a\0b"), "invalid_characters");
        assert_eq!(code("   "), "required");
        assert_eq!(code(&"é".repeat(101)), "too_long");
        assert!(GivenOrFamilyName::parse(&"é".repeat(100)).is_ok());
        assert_eq!(OrganizationName::parse("A").unwrap_err().code, "too_short");
    }
}
