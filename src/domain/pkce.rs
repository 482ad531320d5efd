//! Proof Key for Code Exchange (RFC 7636) for our own clients; method `S256` only.

use super::violation::ValidationError;

/// The SHA-256 of a verifier, in base64url: 43 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// # Errors
    /// `invalid_code_challenge`.
    pub fn parse(text: &str) -> Result<Self, ValidationError> {
        let is_base64url = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if text.len() == 43 && text.bytes().all(is_base64url) {
            return Ok(Self(text.to_owned()));
        }
        Err(ValidationError::new(
            "invalid_code_challenge",
            "Please send the SHA-256 of the verifier in base64url, 43 characters (method S256).",
        ))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The client's secret: 43 to 128 unreserved characters. Cannot be printed.
pub struct CodeVerifier(String);

impl CodeVerifier {
    /// # Errors
    /// `required` or `invalid_code_verifier`.
    pub fn parse(text: &str) -> Result<Self, ValidationError> {
        if text.is_empty() {
            return Err(ValidationError::new(
                "required",
                "Please fill in this field.",
            ));
        }
        let is_unreserved =
            |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        if (43..=128).contains(&text.len()) && text.bytes().all(is_unreserved) {
            return Ok(Self(text.to_owned()));
        }
        Err(ValidationError::new(
            "invalid_code_verifier",
            "Please send the verifier the challenge was made from, 43 to 128 characters.",
        ))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_43_characters_of_base64url() {
        assert!(CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").is_ok());
        for text in [
            "",
            "E9",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c=",
            &"a".repeat(44),
        ] {
            assert!(CodeChallenge::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_verifier_is_43_to_128_unreserved_characters() {
        assert!(CodeVerifier::parse(&"a~".repeat(64)).is_ok());
        assert!(CodeVerifier::parse(&"a".repeat(43)).is_ok());
        for text in [
            "",
            &"a".repeat(42),
            &"a".repeat(129),
            &"ä".repeat(43),
            &" ".repeat(50),
        ] {
            assert!(CodeVerifier::parse(text).is_err(), "{text}");
        }
    }
}
