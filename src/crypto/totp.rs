//! Time-based one-time passwords (RFC 6238) as authenticator apps generate them: SHA-1, 30 seconds, six digits.

use std::fmt;

use chrono::{DateTime, Utc};
use data_encoding::BASE32_NOPAD;
use ring::hmac;
use url::form_urlencoded;

use crate::domain::typed::ungrouped;

/// The seconds in one time step.
const PERIOD: i64 = 30;

/// Codes of this many steps before and after the current one are accepted, to allow for clock drift and typing
/// time (RFC 6238 §5.2).
const DRIFT: i64 = 1;

/// The secret shared with an authenticator: ours are as long as an HMAC-SHA-1 (RFC 4226 §4, R6), those of other systems
/// at least as long as half of one and at most as a block of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// Six digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code(u32);

impl Secret {
    pub const BYTES: usize = 20;

    /// `random` must come from a cryptographic source.
    pub fn new(random: [u8; Self::BYTES]) -> Self {
        Self(random.to_vec())
    }

    /// A secret of another system; `None` unless it has 10 to 64 bytes.
    pub fn from_elsewhere(bytes: &[u8]) -> Option<Self> {
        (Self::BYTES / 2..=64)
            .contains(&bytes.len())
            .then(|| Self(bytes.to_vec()))
    }

    /// For manual entry: 32 characters of base32 for 20 bytes.
    pub fn base32(&self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// The inverse of [`base32`](Self::base32); `None` for other text.
    pub fn from_base32(text: &str) -> Option<Self> {
        Self::from_elsewhere(&BASE32_NOPAD.decode(text.as_bytes()).ok()?)
    }

    /// The code of a time step.
    pub fn code(&self, step: i64) -> Code {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let mac = hmac::sign(&key, &step.to_be_bytes());
        // Dynamic truncation (RFC 4226 §5.3): the last four bits are the offset of the four bytes.
        let offset = mac.as_ref().last().map_or(0, |last| last & 0xf);
        let number = mac
            .as_ref()
            .iter()
            .skip(offset.into())
            .take(4)
            .fold(0, |number, byte| number << 8 | u32::from(*byte));
        Code((number & 0x7fff_ffff) % 1_000_000)
    }

    /// The steps around `now` that have this code, oldest first: none for a wrong code, and almost never more
    /// than one for a correct one.
    pub fn steps(&self, code: Code, now: DateTime<Utc>) -> impl Iterator<Item = i64> {
        let step = step_at(now);
        (step - DRIFT..=step + DRIFT).filter(move |step| self.code(*step) == code)
    }

    /// The URI in the QR code for authenticators
    /// (<https://github.com/google/google-authenticator/wiki/Key-Uri-Format>).
    pub fn uri(&self, issuer: &str, account: &str) -> String {
        let (issuer, account) = (percent_encoded(issuer), percent_encoded(account));
        let secret = self.base32();
        format!(
            "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period={PERIOD}"
        )
    }
}

impl Code {
    /// Accepts six digits with any grouping.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = ungrouped(text);
        let is_code = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit());
        is_code.then(|| digits.parse().ok().map(Self)).flatten()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

/// The time step at `now`, counted from 1970.
pub fn step_at(now: DateTime<Utc>) -> i64 {
    now.timestamp().div_euclid(PERIOD)
}

/// Encodes a space as `%20`, because authenticators do not decode `+`.
fn percent_encoded(text: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    encoded.replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn secret() -> Secret {
        Secret::new(*b"12345678901234567890")
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    /// RFC 6238, appendix B; the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret().code(step_at(at(seconds))).to_string(), code);
        }
    }

    #[test]
    fn a_code_is_valid_one_step_before_and_after_its_own() {
        let code = secret().code(100);
        let found = |seconds| secret().steps(code, at(seconds)).collect::<Vec<_>>();
        for seconds in [99 * 30, 100 * 30, 101 * 30, 102 * 30 - 1] {
            assert_eq!(found(seconds), [100], "{seconds}");
        }
        for seconds in [99 * 30 - 1, 102 * 30] {
            assert!(found(seconds).is_empty(), "{seconds}");
        }
    }

    #[test]
    fn a_clock_before_1970_has_negative_steps() {
        assert_eq!(step_at(at(-1)), -1);
        assert_eq!(secret().steps(secret().code(-1), at(-1)).next(), Some(-1));
    }

    #[test]
    fn a_code_may_be_grouped_by_spaces_and_dashes() {
        for text in [
            "005924",
            "005 924",
            "005-924",
            " 005924 ",
            "005\u{2013}924",
            "005\u{a0}924\n",
        ] {
            assert_eq!(Code::parse(text).unwrap().to_string(), "005924", "{text:?}");
        }
        for text in ["", "5924", "0059240", "00592a", "+05924", "٠٠٥٩٢٤"] {
            assert_eq!(Code::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_uri_has_the_account_and_all_totp_parameters() {
        assert_eq!(
            secret().uri("Hallpass", "Ada L+x@example.com"),
            "otpauth://totp/Hallpass:Ada%20L%2Bx%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Hallpass&algorithm=SHA1&digits=6&period=30"
        );
    }

    /// Made with Python: `hmac.digest(bytes(range(n)), (100).to_bytes(8), "sha1")`, truncated as in RFC 4226.
    #[test]
    fn secrets_of_other_systems_have_10_to_64_bytes() {
        let bytes: Vec<u8> = (0..65).collect();
        for (length, code) in [(10, "771737"), (32, "190393"), (64, "936762")] {
            let secret = Secret::from_elsewhere(&bytes[..length]).unwrap();
            assert_eq!(secret.code(100).to_string(), code);
        }
        for length in [0, 9, 65] {
            assert_eq!(Secret::from_elsewhere(&bytes[..length]), None, "{length}");
        }
    }

    #[test]
    fn debug_prints_no_secret() {
        assert_eq!(format!("{:?} {:?}", secret(), Code(1)), "Secret(…) Code(…)");
    }

    proptest! {
        #[test]
        fn a_secret_round_trips_through_base32(bytes in proptest::collection::vec(any::<u8>(), 10..=64)) {
            let secret = Secret::from_elsewhere(&bytes).unwrap();
            prop_assert_eq!(Secret::from_base32(&secret.base32()), Some(secret));
        }

        #[test]
        fn arbitrary_text_never_panics(text in "\\PC*") {
            let _ = (Code::parse(&text), Secret::from_base32(&text));
        }
    }
}
