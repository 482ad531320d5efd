//! `otpauth-migration://offline?data=…`, the QR code with which Google Authenticator exports its accounts: a message of
//! Protocol Buffers (<https://protobuf.dev/programming-guides/encoding/>) in base64.

use data_encoding::BASE64;
use url::Url;

use super::totp::{broken_url, unusual};
use crate::candidate::Problem;

/// # Errors
/// It holds none or several accounts, or one with parameters that we do not compute.
pub(super) fn key_of(text: &str) -> Result<Vec<u8>, Problem> {
    let broken = || broken_url("otpauth-migration");
    let url = Url::parse(text).map_err(|_| broken())?;
    let (_, data) = url
        .query_pairs()
        .find(|(key, _)| key == "data")
        .ok_or_else(broken)?;
    // A plus that was not percent-encoded arrives as a space.
    let payload = BASE64
        .decode(data.replace(' ', "+").as_bytes())
        .map_err(|_| broken())?;
    let fields = fields(&payload).ok_or_else(broken)?;
    let mut accounts = fields
        .into_iter()
        .filter_map(|(number, field)| match field {
            Field::Bytes(account) if number == 1 => Some(account),
            Field::Bytes(_) | Field::Number(_) => None,
        });
    let (Some(account), None) = (accounts.next(), accounts.next()) else {
        return Err(Problem::new(
            "totp_url",
            "The otpauth-migration URL does not hold exactly one account.",
            "Export the accounts one by one.",
        ));
    };
    key_of_account(account).ok_or_else(broken)?
}

/// `None` if it is no message.
fn key_of_account(account: &[u8]) -> Option<Result<Vec<u8>, Problem>> {
    let mut key = None;
    for (number, field) in fields(account)? {
        match (number, field) {
            (1, Field::Bytes(secret)) => key = Some(secret.to_vec()),
            // Algorithm: unspecified or SHA-1. Digits: unspecified or six. Kind: unspecified or by time.
            (4 | 5, Field::Number(0 | 1)) | (6, Field::Number(0 | 2)) => {}
            (4, Field::Number(_)) => return Some(Err(unusual("another algorithm"))),
            (5, Field::Number(_)) => return Some(Err(unusual("8 digits"))),
            (6, Field::Number(_)) => return Some(Err(unusual("codes by counter (HOTP)"))),
            _ => {}
        }
    }
    key.map(Ok)
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// `None` if the bytes are no message, or one with kinds of fields that this one has not.
fn fields(mut bytes: &[u8]) -> Option<Vec<(u64, Field<'_>)>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let field = match tag & 7 {
            0 => Field::Number(varint(&mut bytes)?),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let (value, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                Field::Bytes(value)
            }
            _ => return None,
        };
        fields.push((tag >> 3, field));
    }
    Some(fields)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Key, name, issuer; then algorithm, digits and kind.
    fn account(key: &[u8], [algorithm, digits, kind]: [u8; 3]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (tag, text) in [(0x0a, key), (0x12, b"ada@example.com"), (0x1a, b"Old")] {
            bytes.extend([tag, u8::try_from(text.len()).unwrap()]);
            bytes.extend(text);
        }
        bytes.extend([0x20, algorithm, 0x28, digits, 0x30, kind]);
        bytes
    }

    fn url(accounts: &[Vec<u8>]) -> String {
        let mut payload = Vec::new();
        for account in accounts {
            payload.extend([0x0a, u8::try_from(account.len()).unwrap()]);
            payload.extend(account);
        }
        // Version, size and index of the batch, and its id, which is negative and so has ten bytes.
        payload.extend([0x10, 1, 0x18, 1, 0x20, 0]);
        payload.extend([
            0x28, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
        ]);
        let data = BASE64.encode(&payload);
        let data: String = url::form_urlencoded::byte_serialize(data.as_bytes()).collect();
        format!("otpauth-migration://offline?data={data}")
    }

    #[test]
    fn the_only_account_of_a_migration_url_is_read() {
        let key = b"\xff\xfe12345678901234567890";
        assert_eq!(key_of(&url(&[account(key, [1, 1, 2])])).unwrap(), key);
        assert_eq!(key_of(&url(&[account(key, [0, 0, 0])])).unwrap(), key);
        let unescaped = url(&[account(key, [1, 1, 2])]).replace("%2B", "+");
        assert_eq!(key_of(&unescaped).unwrap(), key);
    }

    #[test]
    fn accounts_that_we_do_not_compute_and_several_are_refused() {
        let key = b"12345678901234567890";
        let code = |text: &str| key_of(text).unwrap_err().code;
        for parameters in [[2, 1, 2], [1, 2, 2], [1, 1, 1]] {
            assert_eq!(
                code(&url(&[account(key, parameters)])),
                "totp_parameters",
                "{parameters:?}"
            );
        }
        let one = account(key, [1, 1, 2]);
        assert_eq!(code(&url(&[one.clone(), one])), "totp_url");
        assert_eq!(code(&url(&[])), "totp_url");
        assert_eq!(code("otpauth-migration://offline?data=CgI"), "totp_url");
        assert_eq!(code("otpauth-migration://offline"), "totp_url");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_take_the_program_down(bytes: Vec<u8>) {
            let _ = fields(&bytes);
            let data: String = url::form_urlencoded::byte_serialize(BASE64.encode(&bytes).as_bytes()).collect();
            let _ = key_of(&format!("otpauth-migration://offline?data={data}"));
        }
    }
}
