//! Keys of authenticators (RFC 6238), and recovery codes.

use std::sync::LazyLock;

use data_encoding::{Encoding, HEXLOWER_PERMISSIVE, Specification};
use serde_json::Value;
use url::Url;

use super::migration_url;
use crate::candidate::Problem;
use crate::mapping::SecretEncoding;
use crate::value::text_of;

const KEY_BYTES: std::ops::RangeInclusive<usize> = 10..=64;

/// RFC 4648 without padding. Some programs leave bits of the last character set.
static BASE32: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification
        .symbols
        .push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    specification
        .translate
        .from
        .push_str("abcdefghijklmnopqrstuvwxyz");
    specification
        .translate
        .to
        .push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    specification.ignore.push_str(" -=\t\r\n");
    specification.check_trailing_bits = false;
    specification.encoding().ok()
});

/// What an authenticator computes from its key; `None` is the usual.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    pub digits: Option<String>,
    pub period: Option<String>,
    pub algorithm: Option<String>,
}

impl Parameters {
    /// # Errors
    /// They are not six digits, 30 seconds and SHA-1.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let digits = self.digits.as_deref().unwrap_or("6");
        let period = self.period.as_deref().unwrap_or("30");
        let algorithm = self.algorithm.as_deref().unwrap_or("SHA1");
        let plain = algorithm.to_ascii_uppercase().replace(['-', '_'], "");
        let is_usual = digits == "6" && period == "30" && matches!(&*plain, "SHA1" | "HMACSHA1");
        if is_usual {
            Ok(())
        } else {
            Err(unusual(&format!(
                "{digits} digits, {period} seconds, {algorithm}"
            )))
        }
    }
}

/// The key in the text, which may also be a URL with its parameters.
///
/// # Errors
/// It is not what the encoding says, is too short or too long, or has parameters that we do not compute.
pub(crate) fn key_of(text: &str, encoding: SecretEncoding) -> Result<Vec<u8>, Problem> {
    let key = match text.split_once(':') {
        Some(("otpauth", _)) => in_url(text)?,
        Some(("otpauth-migration", _)) => migration_url::key_of(text)?,
        _ if text.starts_with('{') => {
            return Err(Problem::new(
                "totp_encrypted",
                "The old system encrypts the keys of authenticators.",
                "Read them decrypted, or let these people set up their authenticator anew.",
            ));
        }
        _ => decoded(text, encoding)?,
    };
    if KEY_BYTES.contains(&key.len()) {
        Ok(key)
    } else {
        Err(Problem::new(
            "totp_key_length",
            format!(
                "The key of the authenticator has {} bytes, and not 10 to 64.",
                key.len()
            ),
            "See `encoding` in [totp] of the mapping: is it hex, or text?",
        ))
    }
}

fn decoded(text: &str, encoding: SecretEncoding) -> Result<Vec<u8>, Problem> {
    let (name, key) = match encoding {
        SecretEncoding::Text => return Ok(text.as_bytes().to_vec()),
        SecretEncoding::Hex => {
            let digits: String = text.split_whitespace().collect();
            (
                "hexadecimal",
                HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok(),
            )
        }
        SecretEncoding::Base32 => {
            let decode = |base32: &Encoding| base32.decode(text.as_bytes()).ok();
            ("base32", BASE32.as_ref().and_then(decode))
        }
    };
    key.ok_or_else(|| {
        Problem::new(
            "totp_encoding",
            format!("The key of the authenticator is not {name}."),
            "See `encoding` in [totp] of the mapping: base32, hex or text.",
        )
    })
}

/// `otpauth://totp/Acme:ada@example.com?secret=…&digits=6`
fn in_url(text: &str) -> Result<Vec<u8>, Problem> {
    let broken = || broken_url("otpauth");
    let url = Url::parse(text).map_err(|_| broken())?;
    if url.host_str() != Some("totp") {
        return Err(unusual("codes by counter (HOTP)"));
    }
    let parameter = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let parameters = Parameters {
        digits: parameter("digits"),
        period: parameter("period"),
        algorithm: parameter("algorithm"),
    };
    parameters.check()?;
    decoded(
        &parameter("secret").ok_or_else(broken)?,
        SecretEncoding::Base32,
    )
}

pub(super) fn broken_url(scheme: &str) -> Problem {
    Problem::new(
        "totp_url",
        format!("The {scheme} URL has no key that can be read."),
        "Let these people set up their authenticator anew.",
    )
}

pub(super) fn unusual(what: &str) -> Problem {
    Problem::new(
        "totp_parameters",
        format!("The authenticator has {what}; Hallpass has 6 digits, 30 seconds, SHA-1."),
        "Let these people set up their authenticator anew.",
    )
}

/// From a list, a list in a text, or a text with commas, spaces or line breaks.
pub(crate) fn codes_of(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(codes_of).collect(),
        Value::Null => Vec::new(),
        other => {
            let text = text_of(other);
            match serde_json::from_str(&text) {
                Ok(list @ Value::Array(_)) => codes_of(&list),
                _ => {
                    let codes = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
                    codes
                        .filter(|code| !code.is_empty())
                        .map(str::to_owned)
                        .collect()
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 6238 appendix B.
    const KEY: &[u8] = b"12345678901234567890";

    fn code(result: Result<Vec<u8>, Problem>) -> String {
        result.unwrap_err().code
    }

    #[test]
    fn base32_is_read_in_every_form_in_which_it_is_copied() {
        for text in [
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            "gezdgnbvgy3tqojqgezdgnbvgy3tqojq",
            "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ",
            "gezd-gnbv-gy3t-qojq-gezd-gnbv-gy3t-qojq",
        ] {
            assert_eq!(key_of(text, SecretEncoding::Base32).unwrap(), KEY, "{text}");
        }
        let padded = key_of("GEZDGNBVGY3TQOJQGE======", SecretEncoding::Base32);
        assert_eq!(padded.unwrap(), b"12345678901");
        let loose = key_of("GEZDGNBVGY3TQOJQGF", SecretEncoding::Base32);
        assert_eq!(
            loose.unwrap(),
            b"12345678901",
            "bits of the last character that mean nothing"
        );
        assert_eq!(
            code(key_of("GEZDGNBVGY3TQOJ1", SecretEncoding::Base32)),
            "totp_encoding"
        );
    }

    #[test]
    fn the_encoding_decides_what_the_key_is() {
        let hex = "3132333435363738393031323334353637383930";
        assert_eq!(key_of(hex, SecretEncoding::Hex).unwrap(), KEY);
        assert_eq!(
            key_of("31323334 35363738 3930 3132", SecretEncoding::Hex).unwrap(),
            b"123456789012"
        );
        assert_eq!(key_of(hex, SecretEncoding::Text).unwrap(), hex.as_bytes());
        assert_eq!(code(key_of("zz", SecretEncoding::Hex)), "totp_encoding");
        assert_eq!(
            code(key_of(
                "{\"key_id\":\"k\",\"alg\":\"aes-gcm-hkdf\"}",
                SecretEncoding::Base32
            )),
            "totp_encrypted"
        );
    }

    #[test]
    fn a_key_has_10_to_64_bytes() {
        for (bytes, is_taken) in [
            (9, false),
            (10, true),
            (20, true),
            (32, true),
            (64, true),
            (65, false),
        ] {
            let key = key_of(&"k".repeat(bytes), SecretEncoding::Text);
            assert_eq!(key.is_ok(), is_taken, "{bytes}");
            if !is_taken {
                assert_eq!(code(key), "totp_key_length");
            }
        }
    }

    #[test]
    fn a_url_says_what_the_key_is_in_any_encoding() {
        let url = "otpauth://totp/Old%20App:ada@example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Old";
        for encoding in [
            SecretEncoding::Base32,
            SecretEncoding::Text,
            SecretEncoding::Hex,
        ] {
            assert_eq!(key_of(url, encoding).unwrap(), KEY);
            assert_eq!(
                key_of(
                    &format!("{url}&digits=6&period=30&algorithm=SHA1"),
                    encoding
                )
                .unwrap(),
                KEY
            );
        }
        for parameter in ["digits=8", "period=60", "algorithm=SHA256"] {
            let key = key_of(&format!("{url}&{parameter}"), SecretEncoding::Base32);
            assert_eq!(code(key), "totp_parameters", "{parameter}");
        }
        assert_eq!(
            code(key_of(&url.replace("totp", "hotp"), SecretEncoding::Base32)),
            "totp_parameters"
        );
        assert_eq!(
            code(key_of("otpauth://totp/x", SecretEncoding::Base32)),
            "totp_url"
        );
    }

    #[test]
    fn parameters_are_known_by_the_names_that_systems_give_them() {
        for algorithm in ["SHA1", "sha1", "SHA-1", "HmacSHA1"] {
            let parameters = Parameters {
                algorithm: Some(algorithm.to_owned()),
                ..Parameters::default()
            };
            assert_eq!(parameters.check(), Ok(()), "{algorithm}");
        }
        for algorithm in ["SHA256", "HmacSHA512", "md5"] {
            let parameters = Parameters {
                algorithm: Some(algorithm.to_owned()),
                ..Parameters::default()
            };
            assert!(parameters.check().is_err(), "{algorithm}");
        }
    }

    #[test]
    fn recovery_codes_are_found_in_every_kind_of_list() {
        for value in [
            json!(["a-1", "b-2"]),
            json!("[\"a-1\",\"b-2\"]"),
            json!("a-1, b-2"),
            json!("a-1\nb-2\n"),
        ] {
            assert_eq!(codes_of(&value), ["a-1", "b-2"], "{value}");
        }
        assert_eq!(codes_of(&json!(12_345_678)), ["12345678"]);
        assert_eq!(codes_of(&json!(null)), [""; 0]);
    }
}
