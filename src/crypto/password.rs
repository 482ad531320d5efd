//! Password hashes: bcrypt, with a pre-hash for passwords longer than its limit, and what other systems have stored.

use std::fmt;
use std::sync::LazyLock;

use bcrypt_lanes::{Digest, Input, NoSuchCost};
use data_encoding::{BASE64, Encoding, Specification};
use ring::hmac;
use stored_passwords::{Bcrypt, ImportedHash, Kdf, Refusal, Step};
use zeroize::Zeroize;

/// A stored hash. We write `$2b$…` for passwords of up to 71 bytes and `$bcrypt-sha256$v=2,…` for longer ones; an
/// importer writes `$in$…`.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredHash(String);

/// bcrypt uses 72 bytes, one of which is the NUL that ends the password.
const MAX_PLAIN_BYTES: usize = 71;
const SALT_BYTES: usize = 16;
const SALT_CHARS: usize = 22;
/// bcrypt computes 24 bytes and stores 23.
const CHECKSUM_BYTES: usize = 23;
const LONG_PREFIX: &str = "$bcrypt-sha256$v=2,t=2b,r=";
const IMPORTED_PREFIX: &str = "$in$";

/// Turns a digest into a stored hash.
pub struct Making {
    form: Form,
    cost: u32,
    salt: [u8; SALT_BYTES],
}

/// The bcrypt input to hash a password in NFKC, and how to turn the digest into a stored hash. `cost` is the binary
/// logarithm of the number of rounds; `salt` must be random.
///
/// # Errors
/// `NoSuchCost` outside 4–31.
pub fn make(
    normalized: &str,
    cost: u32,
    salt: [u8; SALT_BYTES],
) -> Result<(Input, Making), NoSuchCost> {
    let form = Form::of(normalized);
    let input = form.input(normalized, cost, salt)?;
    Ok((input, Making { form, cost, salt }))
}

impl Making {
    pub fn finish(self, digest: &Digest) -> StoredHash {
        format(self.form, self.cost, self.salt, digest.checksum())
    }
}

/// What to compare a typed password with. Ours are hashes of NFKC, but others may have copied theirs here: the
/// password as typed is right too, and its first 72 bytes are, which is all that bcrypt reads. Neither is ever right
/// where we hashed: NFKC changes no NFKC text, and bcrypt's key of a shorter password has a NUL, which none has that
/// is typed.
///
/// # Errors
/// `Unknown` and `Malformed` unless it is bcrypt (`$2a$`, `$2b$`, `$2y$`), passlib's bcrypt-sha256 version 2, or
/// imported; `TooExpensive` beyond the limits.
pub fn comparable(hash: &StoredHash) -> Result<ImportedHash, Refusal> {
    if hash.is_imported() {
        return ImportedHash::parse(&hash.0);
    }
    let stored = Stored::parse(&hash.0).ok_or(Refusal::Unknown)?;
    let Stored { cost, salt, .. } = stored;
    let step = match stored.form {
        Form::Plain => Step::Cut72,
        Form::Long => Step::HmacSalt,
    };
    let bcrypt = Kdf::Bcrypt(Bcrypt { cost, salt });
    ImportedHash::new(vec![step], bcrypt, stored.checksum.to_vec())
}

/// Whether `hash` is not what would be made of the password in NFKC today.
pub fn needs_rehash(hash: &StoredHash, normalized: &str, cost: u32) -> bool {
    Stored::parse(&hash.0).is_none_or(|stored| {
        let is_cut = stored.form == Form::Plain && Form::of(normalized) == Form::Long;
        stored.cost != cost || !stored.is_current || is_cut
    })
}

/// A hash that no password matches, of the form that we write.
pub fn decoy(cost: u32) -> StoredHash {
    format(
        Form::Plain,
        cost,
        *b"there is nobody.",
        *b"no password gives this.",
    )
}

impl StoredHash {
    pub fn from_stored(hash: String) -> Self {
        Self(hash)
    }

    /// For the database, never for printing.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an importer wrote it.
    pub fn is_imported(&self) -> bool {
        self.0.starts_with(IMPORTED_PREFIX)
    }
}

impl From<&ImportedHash> for StoredHash {
    fn from(hash: &ImportedHash) -> Self {
        Self(hash.to_string())
    }
}

impl fmt::Debug for StoredHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredHash(…)")
    }
}

/// What is hashed with bcrypt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The password.
    Plain,
    /// Base64 of the password's HMAC-SHA256, keyed with the encoded salt.
    /// <https://passlib.readthedocs.io/en/stable/lib/passlib.hash.bcrypt_sha256.html>
    Long,
}

impl Form {
    fn of(normalized: &str) -> Self {
        if normalized.len() <= MAX_PLAIN_BYTES {
            Self::Plain
        } else {
            Self::Long
        }
    }

    fn input(
        self,
        normalized: &str,
        cost: u32,
        salt: [u8; SALT_BYTES],
    ) -> Result<Input, NoSuchCost> {
        let password = normalized.as_bytes();
        match self {
            Self::Plain => Input::new(password, salt, cost),
            Self::Long => {
                let salt_text = BASE64_BCRYPT.encode(&salt);
                let key = hmac::Key::new(hmac::HMAC_SHA256, salt_text.as_bytes());
                let mut text = BASE64.encode(hmac::sign(&key, password).as_ref());
                let input = Input::new(text.as_bytes(), salt, cost);
                text.zeroize();
                input
            }
        }
    }
}

/// A parsed stored hash.
#[derive(Debug)]
struct Stored {
    form: Form,
    cost: u32,
    salt: [u8; SALT_BYTES],
    checksum: [u8; CHECKSUM_BYTES],
    /// Whether the format is the one we write.
    is_current: bool,
}

impl Stored {
    fn parse(hash: &str) -> Option<Self> {
        if let Some(rest) = hash.strip_prefix(LONG_PREFIX) {
            let (cost, rest) = rest.split_once('$')?;
            let (salt, checksum) = rest.split_once('$')?;
            // The format has no leading zeros.
            let cost = cost_of(cost).filter(|_| !cost.starts_with('0'))?;
            return Self::of(Form::Long, cost, salt, checksum, true);
        }
        let (version, rest) = hash.strip_prefix('$')?.split_once('$')?;
        let (cost, rest) = rest.split_once('$')?;
        let (salt, checksum) = rest.split_at_checked(SALT_CHARS)?;
        let cost = cost_of(cost).filter(|_| cost.len() == 2)?;
        // They differ in bugs of old implementations, which do not affect 71 bytes of UTF-8 without NUL.
        matches!(version, "2a" | "2b" | "2y").then_some(())?;
        Self::of(Form::Plain, cost, salt, checksum, version == "2b")
    }

    fn of(form: Form, cost: u32, salt: &str, checksum: &str, is_current: bool) -> Option<Self> {
        Some(Self {
            form,
            cost,
            salt: decode(salt)?,
            checksum: decode(checksum)?,
            is_current,
        })
    }
}

fn cost_of(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|cost| digits && is_cost(*cost))
}

fn is_cost(cost: u32) -> bool {
    (4..=31).contains(&cost)
}

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let bytes = BASE64_BCRYPT.decode(text.as_bytes()).ok()?;
    bytes.try_into().ok()
}

fn format(
    form: Form,
    cost: u32,
    salt: [u8; SALT_BYTES],
    checksum: [u8; CHECKSUM_BYTES],
) -> StoredHash {
    let salt = BASE64_BCRYPT.encode(&salt);
    let checksum = BASE64_BCRYPT.encode(&checksum);
    StoredHash(match form {
        Form::Plain => format!("$2b${cost:02}${salt}{checksum}"),
        Form::Long => format!("{LONG_PREFIX}{cost}${salt}${checksum}"),
    })
}

/// Base64 with bcrypt's alphabet, without padding.
static BASE64_BCRYPT: LazyLock<Encoding> = LazyLock::new(|| {
    let mut alphabet = Specification::new();
    alphabet
        .symbols
        .push_str("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    #[expect(
        clippy::expect_used,
        reason = "a constant of 64 different characters, covered by every test here"
    )]
    alphabet.encoding().expect("bcrypt's alphabet is valid")
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;
    use stored_passwords::Peppers;
    use unicode_normalization::UnicodeNormalization as _;

    use super::*;
    use crate::domain::TypedPassword;

    fn stored(hash: &str) -> StoredHash {
        StoredHash::from_stored(hash.to_owned())
    }

    /// Without the worker threads.
    fn matches(typed: &str, hash: &StoredHash) -> Result<bool, Refusal> {
        Ok(comparable(hash)?.verify(typed, &Peppers::default()))
    }

    /// Without the worker threads.
    fn hash(text: &str, cost: u32, salt: [u8; 16]) -> Result<StoredHash, NoSuchCost> {
        let normalized: String = text.nfkc().collect();
        let (input, making) = make(&normalized, cost, salt)?;
        Ok(making.finish(&bcrypt_lanes::bcrypt(&input)))
    }

    fn bcrypt(password: &[u8], cost: u32, salt: [u8; 16]) -> [u8; 23] {
        bcrypt_lanes::bcrypt(&Input::new(password, salt, cost).unwrap()).checksum()
    }

    /// From the test suites of crypt_blowfish (`U*U` …) and jBCrypt (the rest).
    const PUBLISHED: [(&str, &str); 9] = [
        (
            "",
            "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.",
        ),
        (
            "a",
            "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
        ),
        (
            "abc",
            "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i",
        ),
        (
            "abcdefghijklmnopqrstuvwxyz",
            "$2a$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC",
        ),
        (
            "~!@#$%^&*()      ~!@#$%^&*()PNBFRD",
            "$2a$06$fPIsBO8qRqkjj273rfaOI.HtSV9jLDpTbZn782DC6/t7qT67P6FfO",
        ),
        (
            "",
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy",
        ),
        (
            "U*U",
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        ),
        (
            "U*U*",
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
        ),
        (
            "U*U*U",
            "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
        ),
    ];

    #[test]
    fn published_hashes_are_reproduced() {
        for (text, hash) in PUBLISHED {
            let known = Stored::parse(hash).unwrap();
            let computed = bcrypt(text.as_bytes(), known.cost, known.salt);
            assert_eq!(computed, known.checksum, "{text:?}");
            for version in ["$2a$", "$2b$", "$2y$"] {
                let hash = stored(&hash.replace("$2a$", version));
                if !text.is_empty() {
                    assert_eq!(matches(text, &hash), Ok(true), "{text:?}");
                }
                assert_eq!(matches("U*U!", &hash), Ok(false), "{text:?}");
            }
        }
    }

    #[derive(Deserialize)]
    struct Vector {
        password: String,
        hash: String,
    }

    fn passlib_vectors() -> Vec<Vector> {
        serde_json::from_str(include_str!("../../tests/vectors/bcrypt_sha256.json")).unwrap()
    }

    #[test]
    fn hashes_made_by_passlib_verify() {
        for Vector { password, hash } in passlib_vectors() {
            assert_eq!(matches(&password, &stored(&hash)), Ok(true), "{hash}");
            let wrong = format!("{}!", password.chars().skip(1).collect::<String>());
            assert_eq!(matches(&wrong, &stored(&hash)), Ok(false), "{hash}");
        }
    }

    #[test]
    fn our_hashes_equal_passlibs() {
        let mut plain = 0;
        let mut long = 0;
        for Vector {
            password: text,
            hash: theirs,
        } in passlib_vectors()
        {
            let known = Stored::parse(&theirs).unwrap();
            let ours = hash(&text, known.cost, known.salt).unwrap();
            let same_form = Stored::parse(ours.as_str()).unwrap().form == known.form;
            match known.form {
                Form::Plain => plain += 1,
                Form::Long if same_form => long += 1,
                // passlib can use the long form for short passwords too.
                Form::Long => continue,
            }
            assert_eq!(ours.as_str(), theirs);
        }
        assert!(plain >= 5 && long >= 5);
    }

    #[test]
    fn every_character_of_a_long_password_matters() {
        for length in [70, 71, 72, 73, 100] {
            let text = "x".repeat(length);
            let made = hash(&text, 4, [7; 16]).unwrap();
            assert_eq!(matches(&text, &made), Ok(true));
            for other in [
                "x".repeat(length - 1),
                format!("{}y", "x".repeat(length - 1)),
            ] {
                assert_eq!(matches(&other, &made), Ok(false), "{length}");
            }
            if length < 100 {
                assert_eq!(matches(&format!("{text}x"), &made), Ok(false), "{length}");
            }
        }
    }

    #[test]
    fn what_bcrypt_has_cut_elsewhere_matches_and_ours_never_does() {
        let cut = bcrypt::hash_with_salt("x".repeat(80), 4, [7; 16]).unwrap();
        let cut = stored(&cut.to_string());
        for (length, is_right) in [(71, false), (72, true), (80, true), (100, true)] {
            assert_eq!(matches(&"x".repeat(length), &cut), Ok(is_right), "{length}");
        }
        assert_eq!(matches(&format!("{}y", "x".repeat(71)), &cut), Ok(false));
        for (hashed, others) in [(71, [70, 72, 80]), (72, [71, 73, 80]), (80, [72, 79, 81])] {
            let made = hash(&"x".repeat(hashed), 4, [7; 16]).unwrap();
            assert_eq!(matches(&"x".repeat(hashed), &made), Ok(true));
            for other in others {
                assert_eq!(
                    matches(&"x".repeat(other), &made),
                    Ok(false),
                    "{hashed} {other}"
                );
            }
        }
    }

    /// bcrypt repeats its key, so `ab` and `ab\0ab` have the same hash.
    #[test]
    fn a_nul_cannot_repeat_a_password() {
        let made = hash("ab", 4, [7; 16]).unwrap();
        let known = Stored::parse(made.as_str()).unwrap();
        assert_eq!(bcrypt(b"ab\0ab", 4, [7; 16]), known.checksum);
        assert!(TypedPassword::parse("ab\0ab").is_err());
        assert_eq!(matches("ab", &made), Ok(true));
        assert_eq!(matches("abab", &made), Ok(false));
    }

    #[test]
    fn unicode_spellings_of_a_password_share_a_hash() {
        let made = hash("Ame\u{301}lie", 4, [7; 16]).unwrap();
        assert_eq!(matches("Amélie", &made), Ok(true));
        assert_eq!(matches("Amelie", &made), Ok(false));
    }

    #[test]
    fn a_hash_above_the_cost_limit_is_rejected() {
        for hash in [
            "$2b$16$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$bcrypt-sha256$v=2,t=2b,r=16$CCCCCCCCCCCCCCCCCCCCC.$E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        ] {
            assert!(comparable(&stored(hash)).is_ok());
            for cost in ["17", "31"] {
                let dearer = stored(&hash.replace("16", cost));
                let found = cost.parse().unwrap();
                let refused = Refusal::TooExpensive {
                    what: "a bcrypt cost",
                    found,
                    most: 16,
                };
                assert_eq!(comparable(&dearer).err(), Some(refused));
            }
        }
    }

    #[test]
    fn what_an_importer_wrote_is_compared_as_it_says() {
        let imported =
            stored("$in$raw,sha256hex$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");
        assert!(imported.is_imported());
        let hash = comparable(&imported).unwrap();
        assert_eq!(StoredHash::from(&hash), imported);
        assert!(needs_rehash(&imported, "a", 4));
        let made = hash_of("a");
        assert!(!made.is_imported());
        assert_eq!(
            comparable(&stored("$in$")).err(),
            Some(Refusal::Malformed("a field is missing"))
        );
    }

    fn hash_of(text: &str) -> StoredHash {
        hash(text, 4, [7; 16]).unwrap()
    }

    #[test]
    fn costs_outside_bcrypts_range_are_rejected() {
        for cost in [0, 3, 32, u32::MAX] {
            assert_eq!(hash("a", cost, [7; 16]).unwrap_err(), NoSuchCost(cost));
        }
        assert!(hash("a", 4, [7; 16]).is_ok());
    }

    #[test]
    fn text_that_is_not_a_hash_is_malformed() {
        for hash in [
            "$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$bcrypt-sha256$v=2,t=2b,r=4$CCCCCCCCCCCCCCCCCCCCC.$E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        ] {
            assert_eq!(matches("a", &stored(hash)), Ok(false), "{hash}");
        }
        for hash in [
            "",
            "$",
            "password",
            "$2b$04$",
            "$2b$04$CCCCCCCCCCCCCCCCCCCCC.",
            "$2x$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$4$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$+4$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$32$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$99$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe",
            "$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeWW",
            "$2b$04$CCCCCCCCCCCCCCCCCCCCCCE5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeX",
            "$2b$04$CCCCCCCCCCCCCCCCCCCC+.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW\n",
            "$2b$04$ééééééééééééééééééééééééééééééé",
            "$2b$04$CCCCCCCCCCCCCCCCCCCCCé5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$bcrypt-sha256$v=2,t=2b,r=04$CCCCCCCCCCCCCCCCCCCCC.$E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$bcrypt-sha256$v=2,t=2b,r=32$CCCCCCCCCCCCCCCCCCCCC.$E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$bcrypt-sha256$v=2,t=2a,r=4$CCCCCCCCCCCCCCCCCCCCC.$E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$bcrypt-sha256$v=1,t=2b,r=4$CCCCCCCCCCCCCCCCCCCCC.$E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$bcrypt-sha256$2b,4$CCCCCCCCCCCCCCCCCCCCC.$E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$bcrypt-sha256$v=2,t=2b,r=4$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$bcrypt-sha256$v=2,t=2b,r=4$CCCCCCCCCCCCCCCCCCCCC.$",
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA",
        ] {
            let result = matches("a", &stored(hash));
            assert!(result.is_err(), "{hash}");
        }
    }

    #[test]
    fn an_outdated_hash_needs_a_rehash() {
        let plain = hash("a", 5, [7; 16]).unwrap();
        let long = hash(&"a".repeat(72), 5, [7; 16]).unwrap();
        for made in [&plain, &long] {
            assert!(!needs_rehash(made, "a", 5));
            assert!(needs_rehash(made, "a", 4));
            assert!(needs_rehash(made, "a", 6));
        }
        for version in ["$2a$", "$2y$"] {
            let old = stored(&plain.as_str().replace("$2b$", version));
            assert!(needs_rehash(&old, "a", 5));
        }
        // Only another system has cut the password.
        assert!(needs_rehash(&plain, &"a".repeat(72), 5));
        assert!(!needs_rehash(&long, &"a".repeat(72), 5));
        assert!(needs_rehash(&stored("nonsense"), "a", 5));
    }

    #[test]
    fn a_decoy_has_the_given_cost_and_never_matches() {
        for cost in [4, 12] {
            let hash = decoy(cost);
            assert!(!needs_rehash(&hash, "a", cost));
        }
        for text in ["a", "there is nobody.", &"x".repeat(100)] {
            assert_eq!(matches(text, &decoy(4)), Ok(false));
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", decoy(4)), "StoredHash(…)");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_bcrypt_crate_agrees(text in "[ -~]{1,71}", salt: [u8; 16]) {
            let made = hash(&text, 4, salt).unwrap();
            prop_assert!(bcrypt::verify(&text, made.as_str()).unwrap());
            let theirs = bcrypt::non_truncating_hash_with_salt(&text, 4, salt).unwrap();
            prop_assert_eq!(made.as_str(), theirs.to_string());
            prop_assert_eq!(matches(&text, &made), Ok(true));
        }

        #[test]
        fn only_the_hashed_password_verifies(text in ".{1,100}", other in ".{1,100}", salt: [u8; 16]) {
            let (Ok(typed), Ok(other)) = (TypedPassword::parse(&text), TypedPassword::parse(&other)) else {
                return Ok(());
            };
            let made = hash(&text, 4, salt).unwrap();
            prop_assert_eq!(matches(&text, &made), Ok(true));
            let is_same = typed.expose_normalized() == other.expose_normalized();
            prop_assert_eq!(matches(other.expose_typed(), &made), Ok(is_same));
        }

        #[test]
        fn arbitrary_hashes_never_panic(hash in "\\$(2b|bcrypt-sha256)\\$.{0,60}") {
            let _ = matches("a", &stored(&hash));
        }
    }

    #[test]
    fn every_length_up_to_71_bytes_agrees_with_the_bcrypt_crate() {
        for length in 1..=71 {
            let text: String = ('!'..='~').cycle().take(length).collect();
            let made = hash(&text, 4, [u8::try_from(length).unwrap(); 16]).unwrap();
            assert!(bcrypt::verify(&text, made.as_str()).unwrap(), "{length}");
        }
    }
}
