//! The encodings that stored passwords have. Bytes are compared later, so padding and loose bits do not matter; what
//! could be read in two ways is refused.

use data_encoding::{Encoding, HEXLOWER_PERMISSIVE, Specification};
use std::sync::LazyLock;

use crate::hash_function::HashFunction;
use crate::reader::number_of;
use crate::refusal::Refusal;

/// Exactly so many fields.
pub(super) fn fields<const N: usize>(text: &str, separator: char) -> Result<[&str; N], Refusal> {
    let mut parts = text.split(separator);
    let mut fields = [""; N];
    for field in &mut fields {
        *field = parts
            .next()
            .ok_or(Refusal::Malformed("a field is missing"))?;
    }
    match parts.next() {
        None => Ok(fields),
        Some(_) => Err(Refusal::Malformed("there are too many fields")),
    }
}

/// Digits only, as everywhere in this crate.
pub(super) fn number(text: &str) -> Result<u32, Refusal> {
    number_of(text)
}

/// The binary logarithm of a power of two, from 2.
pub(super) fn log_of(text: &str) -> Result<u32, Refusal> {
    let number = number(text)?;
    match number.is_power_of_two() && number > 1 {
        true => Ok(number.ilog2()),
        false => Err(Refusal::Malformed("scrypt's N is a power of two")),
    }
}

/// The values of `m=65536,t=3,p=4`, in the order of `names`, whatever their order in the text. None stands there twice,
/// and none is unknown.
pub(super) fn parameters<'a, const N: usize>(
    text: &'a str,
    names: [&str; N],
) -> Result<[Option<&'a str>; N], Refusal> {
    let mut values = [None; N];
    for part in text.split(',') {
        let place = part.split_once('=').and_then(|(name, value)| {
            let place = names.iter().position(|known| *known == name)?;
            Some((values.get_mut(place)?, value))
        });
        let (place, value) = place.ok_or(Refusal::Malformed("a parameter is unknown"))?;
        if place.replace(value).is_some() {
            return Err(Refusal::Malformed("a parameter stands there twice"));
        }
    }
    Ok(values)
}

/// All of `names`, and all of them numbers.
pub(super) fn numbers<const N: usize>(text: &str, names: [&str; N]) -> Result<[u32; N], Refusal> {
    let mut numbers = [0; N];
    for (place, value) in numbers.iter_mut().zip(parameters(text, names)?) {
        *place = number(required(value)?)?;
    }
    Ok(numbers)
}

pub(super) fn required<T>(value: Option<T>) -> Result<T, Refusal> {
    value.ok_or(Refusal::Malformed("a parameter is missing"))
}

/// Base64, with or without padding.
pub(super) fn base64(text: &str) -> Result<Vec<u8>, Refusal> {
    decode(&BASE64_LOOSE, without_padding(text))
}

/// Base64 with either alphabet: of RFC 4648 §4, or of §5 for URLs.
pub(super) fn base64_of_either_alphabet(text: &str) -> Result<Vec<u8>, Refusal> {
    base64(&text.replace('-', "+").replace('_', "/"))
}

/// passlib's: `.` in the place of `+`. Others write the same with `+`, or with padding.
pub(super) fn ab64(text: &str) -> Result<Vec<u8>, Refusal> {
    base64(&text.replace('.', "+"))
}

/// crypt(3)'s base64: `./0-9A-Za-z`, lowest bits first.
pub(super) fn crypt64(text: &str) -> Result<Vec<u8>, Refusal> {
    decode(&CRYPT64, text)
}

/// The value of one character of crypt(3)'s base64.
pub(super) fn crypt64_digit(character: u8) -> Option<u32> {
    let place = CRYPT_ALPHABET.bytes().position(|c| c == character)?;
    u32::try_from(place).ok()
}

/// bcrypt's base64.
pub(super) fn bcrypt64(text: &str) -> Result<Vec<u8>, Refusal> {
    decode(&BCRYPT64, text)
}

pub(super) fn hex(text: &str) -> Result<Vec<u8>, Refusal> {
    HEXLOWER_PERMISSIVE
        .decode(text.as_bytes())
        .map_err(|_| Refusal::Malformed("a field is not hexadecimal"))
}

/// A digest in hexadecimal or base64. Its length tells which.
pub(super) fn digest(function: HashFunction, text: &str) -> Result<Vec<u8>, Refusal> {
    match text.len() == 2 * function.output_length() {
        true => hex(text),
        false => base64(text),
    }
}

/// A digest by its name in lower case, without a hyphen.
pub(super) fn function_named(name: &str) -> Result<HashFunction, Refusal> {
    HashFunction::named(name).map_err(|_| {
        Refusal::Unsupported("a digest other than MD5, SHA-1, SHA-256, SHA-384 and SHA-512")
    })
}

/// The first of two parts has so many bytes.
pub(super) fn split(bytes: &[u8], at: usize) -> Result<(Vec<u8>, Vec<u8>), Refusal> {
    let (first, rest) = bytes
        .split_at_checked(at)
        .ok_or(Refusal::Malformed("the hash is cut"))?;
    Ok((first.to_vec(), rest.to_vec()))
}

fn without_padding(text: &str) -> &str {
    let body = text.trim_end_matches('=');
    // More than what padding can be is no padding.
    match text.len() - body.len() {
        0..=2 => body,
        _ => text,
    }
}

fn decode(encoding: &Encoding, text: &str) -> Result<Vec<u8>, Refusal> {
    encoding
        .decode(text.as_bytes())
        .map_err(|_| Refusal::Malformed("a field is not base64"))
}

const CRYPT_ALPHABET: &str = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static BASE64_LOOSE: LazyLock<Encoding> = LazyLock::new(|| {
    loose(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        data_encoding::BitOrder::MostSignificantFirst,
    )
});

static BCRYPT64: LazyLock<Encoding> = LazyLock::new(|| {
    loose(
        "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        data_encoding::BitOrder::MostSignificantFirst,
    )
});

static CRYPT64: LazyLock<Encoding> = LazyLock::new(|| {
    loose(
        CRYPT_ALPHABET,
        data_encoding::BitOrder::LeastSignificantFirst,
    )
});

/// Without padding, and whatever the bits behind the last byte.
fn loose(alphabet: &str, bit_order: data_encoding::BitOrder) -> Encoding {
    let mut specification = Specification::new();
    specification.symbols.push_str(alphabet);
    specification.bit_order = bit_order;
    specification.check_trailing_bits = false;
    #[expect(
        clippy::expect_used,
        reason = "the alphabets are constants of 64 different characters"
    )]
    specification.encoding().expect("64 different characters")
}
