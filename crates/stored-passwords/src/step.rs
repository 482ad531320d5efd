//! What is done to the text of a password before its function is computed.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::hash_function::HashFunction;
use crate::kdf::Kdf;
use crate::pepper::{PepperName, Peppers};
use crate::refusal::Refusal;
use crate::stage::Failed;

/// bcrypt uses no more of its key.
pub(crate) const BCRYPT_BYTES: usize = 72;

/// One step. The first is always one of `Raw`, `Nfkc` and `Nfkd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `raw`: the text as typed, and, because systems differ in what they receive, its NFKC form if that is another.
    Raw,
    /// `nfkc`: Unicode normalization (UAX #15).
    Nfkc,
    /// `nfkd`: the NFKD form, and the text as typed if that is another: Flask-Security's forms normalize, its
    /// functions do not.
    Nfkd,
    /// `trim`: without the blanks at both ends that PHP's `trim` removes.
    Trim,
    /// `md5hex`, `sha256hex` …: a digest in lower-case hexadecimal.
    Hex(HashFunction),
    /// `sha256b64`, `sha512b64` …: a digest in padded base64.
    Base64(HashFunction),
    /// `hmac256:salt`: HMAC-SHA256 in base64, keyed with the text of bcrypt's salt.
    HmacSalt,
    /// `hmac384:wp`: HMAC-SHA384 in base64, keyed with WordPress's constant.
    HmacWordPress,
    /// `pepper:<name>`: a secret of the old system behind the password.
    Pepper(PepperName),
    /// `hmac512:<name>`: HMAC-SHA512 in base64, keyed with a secret of the old system.
    Hmac512(PepperName),
    /// `cut72`: the first 72 bytes, which is all that most implementations of bcrypt read. Without this step a longer
    /// password is never right.
    Cut72,
}

/// At least one, and the first is a normalization, which no other is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Steps(Vec<Step>);

const MOST_STEPS: u64 = 8;

impl Step {
    fn is_normalization(&self) -> bool {
        matches!(self, Self::Raw | Self::Nfkc | Self::Nfkd)
    }

    fn parse(text: &str) -> Result<Self, Refusal> {
        if let Some(name) = text.strip_prefix("pepper:") {
            return name.parse().map(Self::Pepper);
        }
        if let Some(name) = text.strip_prefix("hmac512:") {
            return name.parse().map(Self::Hmac512);
        }
        match text {
            "raw" => Ok(Self::Raw),
            "nfkc" => Ok(Self::Nfkc),
            "nfkd" => Ok(Self::Nfkd),
            "trim" => Ok(Self::Trim),
            "hmac256:salt" => Ok(Self::HmacSalt),
            "hmac384:wp" => Ok(Self::HmacWordPress),
            "cut72" => Ok(Self::Cut72),
            _ => {
                let hex = text.strip_suffix("hex").map(HashFunction::named);
                let base64 = text.strip_suffix("b64").map(HashFunction::named);
                match (hex, base64) {
                    (Some(Ok(function)), _) => Ok(Self::Hex(function)),
                    (_, Some(Ok(function))) => Ok(Self::Base64(function)),
                    _ => Err(Refusal::Malformed("a step is unknown")),
                }
            }
        }
    }

    fn apply(
        &self,
        bytes: Zeroizing<Vec<u8>>,
        kdf: &Kdf,
        peppers: &Peppers,
    ) -> Result<Zeroizing<Vec<u8>>, Failed> {
        let secret = |name: &PepperName| {
            peppers
                .get(name)
                .ok_or_else(|| Failed::Pepper(name.clone()))
        };
        Ok(match self {
            Self::Raw | Self::Nfkc | Self::Nfkd => bytes,
            Self::Trim => Zeroizing::new(trimmed(&bytes).to_vec()),
            Self::Hex(function) => text(HEXLOWER.encode(&function.digest(&[&bytes]))),
            Self::Base64(function) => base64(&function.digest(&[&bytes])),
            Self::HmacSalt => keyed_with_salt(kdf, &bytes)?,
            Self::HmacWordPress => base64(&HashFunction::Sha384.hmac(b"wp-sha384", &bytes)),
            Self::Pepper(name) => Zeroizing::new([&bytes, secret(name)?].concat()),
            Self::Hmac512(name) => base64(&HashFunction::Sha512.hmac(secret(name)?, &bytes)),
            Self::Cut72 => {
                let end = bytes.len().min(BCRYPT_BYTES);
                Zeroizing::new(bytes.get(..end).unwrap_or_default().to_vec())
            }
        })
    }
}

fn keyed_with_salt(kdf: &Kdf, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failed> {
    match kdf {
        Kdf::Bcrypt(bcrypt) => Ok(base64(
            &HashFunction::Sha256.hmac(bcrypt.salt_text().as_bytes(), bytes),
        )),
        _ => Err(Failed::Parameters),
    }
}

pub(crate) fn base64(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    text(BASE64.encode(bytes))
}

fn text(text: String) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.into_bytes())
}

/// As PHP's `trim`: space, tab, line feed, carriage return, NUL and vertical tab.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| b" \t\n\r\0\x0b".contains(byte);
    let begin = bytes.iter().position(|byte| !is_blank(byte));
    let end = bytes.iter().rposition(|byte| !is_blank(byte));
    match (begin, end) {
        (Some(begin), Some(end)) => bytes.get(begin..=end).unwrap_or_default(),
        _ => &[],
    }
}

impl Steps {
    /// `Raw` is put before steps that begin with no normalization.
    pub(crate) fn new(mut steps: Vec<Step>, kdf: &Kdf) -> Result<Self, Refusal> {
        if !steps.first().is_some_and(Step::is_normalization) {
            steps.insert(0, Step::Raw);
        }
        if steps.iter().skip(1).any(Step::is_normalization) {
            return Err(Refusal::Malformed("a normalization is not the first step"));
        }
        let is_bcrypt = matches!(kdf, Kdf::Bcrypt(_));
        if steps.contains(&Step::HmacSalt) && !is_bcrypt {
            return Err(Refusal::Malformed(
                "only bcrypt has the step `hmac256:salt`",
            ));
        }
        crate::primitives::at_most("steps", steps.len() as u64, MOST_STEPS)?;
        Ok(Self(steps))
    }

    pub(crate) fn parse(text: &str, kdf: &Kdf) -> Result<Self, Refusal> {
        let steps: Vec<Step> = text.split(',').map(Step::parse).collect::<Result<_, _>>()?;
        if !steps.first().is_some_and(Step::is_normalization) {
            return Err(Refusal::Malformed(
                "the first step is `raw`, `nfkc` or `nfkd`",
            ));
        }
        Self::new(steps, kdf)
    }

    /// What the function is computed from: one, or two where normalization changes the text.
    pub(crate) fn apply(
        &self,
        typed: &str,
        kdf: &Kdf,
        peppers: &Peppers,
    ) -> Result<Vec<Zeroizing<Vec<u8>>>, Failed> {
        self.spellings(typed)
            .into_iter()
            .map(|spelling| {
                self.0
                    .iter()
                    .try_fold(spelling, |bytes, step| step.apply(bytes, kdf, peppers))
            })
            .collect()
    }

    fn spellings(&self, typed: &str) -> Vec<Zeroizing<Vec<u8>>> {
        let collected = |chars: &mut dyn Iterator<Item = char>| {
            // A growing string would leave copies in memory.
            let mut spelling = Zeroizing::new(String::with_capacity(typed.len() * LARGEST_GROWTH));
            spelling.extend(chars);
            Zeroizing::new(std::mem::take(&mut *spelling).into_bytes())
        };
        let raw = Zeroizing::new(typed.as_bytes().to_vec());
        let mut spellings = match self.0.first() {
            Some(Step::Nfkc) => vec![collected(&mut typed.nfkc())],
            Some(Step::Nfkd) => vec![collected(&mut typed.nfkd()), raw],
            _ => vec![raw, collected(&mut typed.nfkc())],
        };
        spellings.dedup();
        spellings
    }

    pub(crate) fn peppers(&self) -> impl Iterator<Item = &PepperName> {
        self.0.iter().filter_map(|step| match step {
            Step::Pepper(name) | Step::Hmac512(name) => Some(name),
            Step::Raw
            | Step::Nfkc
            | Step::Nfkd
            | Step::Trim
            | Step::Hex(_)
            | Step::Base64(_)
            | Step::HmacSalt
            | Step::HmacWordPress
            | Step::Cut72 => None,
        })
    }
}

/// Normalization makes at most eleven times as many bytes of UTF-8.
/// <https://unicode.org/faq/normalization.html#12>
const LARGEST_GROWTH: usize = 11;

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raw => f.write_str("raw"),
            Self::Nfkc => f.write_str("nfkc"),
            Self::Nfkd => f.write_str("nfkd"),
            Self::Trim => f.write_str("trim"),
            Self::Hex(function) => write!(f, "{function}hex"),
            Self::Base64(function) => write!(f, "{function}b64"),
            Self::HmacSalt => f.write_str("hmac256:salt"),
            Self::HmacWordPress => f.write_str("hmac384:wp"),
            Self::Pepper(name) => write!(f, "pepper:{name}"),
            Self::Hmac512(name) => write!(f, "hmac512:{name}"),
            Self::Cut72 => f.write_str("cut72"),
        }
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, step) in self.0.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            write!(f, "{comma}{step}")?;
        }
        Ok(())
    }
}
