//! Passwords as users type them, before they are hashed.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::violation::ValidationError;

/// A new password, in the form that is hashed: NFKC (Unicode UAX #15), without NUL, 1–100 characters.
///
/// `Debug` does not print it, and its memory is zeroized on drop.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// In characters, after normalisation.
    pub const MAX_CHARS: usize = 100;

    /// # Errors
    /// `required`, `too_long` or `invalid_characters`.
    pub fn parse(text: &str) -> Result<Self, ValidationError> {
        check_text(text)?;
        // Full capacity from the start: a growing string would leave copies in memory.
        let mut password = Zeroizing::new(String::with_capacity((Self::MAX_CHARS + 1) * 4));
        password.extend(text.nfkc().take(Self::MAX_CHARS + 1));
        if password.chars().count() > Self::MAX_CHARS {
            return Err(ValidationError::new(
                "too_long",
                format!("Please use at most {} characters.", Self::MAX_CHARS),
            ));
        }
        Ok(Self(password))
    }

    /// For hashing and strength checks, never for printing.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A password that is to be compared, of up to 1,024 bytes, whatever may be chosen here: as typed, because other
/// systems hash that, and in the form that is hashed here.
///
/// `Debug` does not print it, and its memory is zeroized on drop.
#[derive(Clone)]
pub struct TypedPassword {
    typed: Zeroizing<String>,
    normalized: Zeroizing<String>,
}

impl TypedPassword {
    /// As typed.
    pub const MAX_BYTES: usize = 1024;

    /// # Errors
    /// `required`, `too_long` or `invalid_characters`.
    pub fn parse(text: &str) -> Result<Self, ValidationError> {
        check_text(text)?;
        if text.len() > Self::MAX_BYTES {
            return Err(ValidationError::new(
                "too_long",
                format!(
                    "Please enter a password of at most {} bytes.",
                    Self::MAX_BYTES
                ),
            ));
        }
        // Full capacity from the start: a growing string would leave copies in memory.
        let mut normalized = Zeroizing::new(String::with_capacity(text.len() * LARGEST_GROWTH));
        normalized.extend(text.nfkc());
        Ok(Self {
            typed: Zeroizing::new(text.to_owned()),
            normalized,
        })
    }

    /// For hashing, never for printing.
    pub fn expose_typed(&self) -> &str {
        &self.typed
    }

    /// In NFKC, for hashing, never for printing.
    pub fn expose_normalized(&self) -> &str {
        &self.normalized
    }
}

impl fmt::Debug for TypedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedPassword(…)")
    }
}

/// Of UTF-8, by NFKC. <https://unicode.org/faq/normalization.html#12>
const LARGEST_GROWTH: usize = 11;

fn check_text(text: &str) -> Result<(), ValidationError> {
    if text.is_empty() {
        return Err(ValidationError::new("required", "Please enter a password."));
    }
    // A NUL ends a bcrypt password, and bcrypt then repeats it.
    if text.contains('\0') {
        return Err(ValidationError::new(
            "invalid_characters",
            "Please leave out the NUL character.",
        ));
    }
    Ok(())
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        Password::parse(text).unwrap_err().code
    }

    #[test]
    fn equivalent_unicode_spellings_are_the_same_password() {
        for (typed, kept) in [
            ("Ame\u{301}lie", "Amélie"),
            ("\u{ff50}\u{ff41}\u{ff53}\u{ff53}", "pass"),
            ("a\u{a0}b", "a b"),
            ("\u{212b}", "\u{c5}"),
            ("ﬁ", "fi"),
            (" spaces stay ", " spaces stay "),
        ] {
            assert_eq!(Password::parse(typed).unwrap().expose(), kept);
        }
    }

    #[test]
    fn an_empty_password_and_nul_are_rejected() {
        assert_eq!(code(""), "required");
        assert_eq!(code("\0"), "invalid_characters");
        assert_eq!(code("ab\0ab"), "invalid_characters");
        assert!(Password::parse("ab\u{1}ab").is_ok());
    }

    #[test]
    fn a_password_has_at_most_a_hundred_characters_not_bytes() {
        for c in ["a", "é", "漢", "🔐"] {
            assert!(Password::parse(&c.repeat(100)).is_ok());
            assert_eq!(code(&c.repeat(101)), "too_long");
        }
        // Two code points become one, and one becomes eighteen.
        assert!(Password::parse(&"e\u{301}".repeat(100)).is_ok());
        assert!(Password::parse(&"\u{fdfa}".repeat(5)).is_ok());
        assert_eq!(code(&"\u{fdfa}".repeat(6)), "too_long");
        assert_eq!(code(&"a".repeat(1_000_000)), "too_long");
    }

    #[test]
    fn a_typed_password_has_a_thousand_bytes_and_keeps_both_forms() {
        let typed = TypedPassword::parse("Cafe\u{301} \u{fb01}").unwrap();
        assert_eq!(typed.expose_typed(), "Cafe\u{301} \u{fb01}");
        assert_eq!(typed.expose_normalized(), "Caf\u{e9} fi");
        for (text, code) in [("", "required"), ("a\0", "invalid_characters")] {
            assert_eq!(TypedPassword::parse(text).unwrap_err().code, code);
        }
        // Bytes, not characters, and of what was typed: it is eighteen times as many in NFKC.
        for (text, fits) in [("a", 1024), ("é", 512), ("\u{fdfa}", 341)] {
            let longest = TypedPassword::parse(&text.repeat(fits)).unwrap();
            assert_eq!(longest.expose_typed(), text.repeat(fits));
            let refused = TypedPassword::parse(&text.repeat(fits + 1)).unwrap_err();
            assert_eq!(refused.code, "too_long");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        let password = Password::parse("hunter2").unwrap();
        assert_eq!(format!("{password:?}"), "Password(…)");
        let typed = TypedPassword::parse("hunter2").unwrap();
        assert_eq!(format!("{typed:?}"), "TypedPassword(…)");
    }
}
