//! Names of users, organizations and API tokens, and the slugs made from them.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::violation::ValidationError;

/// Trims the name and normalises it to NFC; rejects names that are empty, too short, too long or contain control
/// characters.
fn normalize(text: &str, min_chars: usize, max_chars: usize) -> Result<String, ValidationError> {
    if text.chars().any(char::is_control) {
        return Err(ValidationError::new(
            "invalid_characters",
            "Please leave out line breaks and control characters.",
        ));
    }
    let name: String = text.trim().nfc().collect();
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
                let composed: String = kept.trim().nfc().take($max).collect();
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

impl PersonName {
    /// Joins first and last name with a space.
    pub fn join(first: &GivenOrFamilyName, last: &GivenOrFamilyName) -> Self {
        Self(format!("{first} {last}"))
    }
}

/// An organization's name in URLs and in `tenant`: `[a-z0-9]` words joined by single hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slug(String);

impl Slug {
    const MAX_BASE: usize = 48;

    /// The slug for a name; `organization` if the name has no ASCII letters or digits.
    pub fn suggested_by(name: &OrganizationName) -> Self {
        let mut slug = String::new();
        for c in name.as_str().nfkd().filter(char::is_ascii) {
            if slug.len() == Self::MAX_BASE {
                break;
            }
            if c.is_ascii_alphanumeric() {
                slug.push(c.to_ascii_lowercase());
            } else if !slug.is_empty() && !slug.ends_with('-') && c != '\'' {
                slug.push('-');
            }
        }
        let slug = slug.trim_end_matches('-');
        Self(
            if slug.is_empty() {
                "organization"
            } else {
                slug
            }
            .to_owned(),
        )
    }

    /// The `n`th alternative if earlier ones are taken: `acme`, `acme-2`, `acme-3`, …
    #[must_use]
    pub fn choice(&self, n: u32) -> Self {
        if n < 2 {
            self.clone()
        } else {
            Self(format!("{}-{n}", self.0))
        }
    }

    /// A slug read from the database.
    pub fn from_stored(slug: String) -> Self {
        Self(slug)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(name: &str) -> String {
        Slug::suggested_by(&OrganizationName::parse(name).unwrap()).0
    }

    #[test]
    fn a_slug_keeps_the_words_of_the_name() {
        assert_eq!(slug("Acme, Inc."), "acme-inc");
        assert_eq!(slug("  Crème   Brûlée & Söhne "), "creme-brulee-sohne");
        assert_eq!(slug("O'Neil"), "oneil");
    }

    #[test]
    fn a_name_without_ascii_still_has_a_slug() {
        assert_eq!(slug("東京"), "organization");
    }

    #[test]
    fn later_slug_choices_are_numbered() {
        let acme = Slug::suggested_by(&OrganizationName::parse("Acme").unwrap());
        assert_eq!(acme.choice(1).as_str(), "acme");
        assert_eq!(acme.choice(2).as_str(), "acme-2");
    }

    #[test]
    fn a_name_is_trimmed_and_composed() {
        assert_eq!(
            PersonName::parse("  Ame\u{301}lie ").unwrap().as_str(),
            "Amélie"
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
