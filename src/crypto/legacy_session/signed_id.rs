//! Ids of stored sessions, signed with HMAC-SHA256 and written into a cookie, percent-encoded.

use std::borrow::Cow;

use data_encoding::{BASE64, BASE64_NOPAD};
use percent_encoding::percent_decode_str;
use ring::hmac;

/// The session token of better-auth's cookie: `token.signature`, in base64 with padding.
pub(super) fn of_better_auth(value: &str, keys: &[hmac::Key]) -> Option<String> {
    let value = decoded(value)?;
    let (token, signature) = value.rsplit_once('.')?;
    let signature = BASE64.decode(signature.as_bytes()).ok()?;
    is_signed(token, &signature, keys).then(|| token.to_owned())
}

/// The session id of the cookie of express-session and connect: `s:id.signature`, in base64 without padding.
pub(super) fn of_express(value: &str, keys: &[hmac::Key]) -> Option<String> {
    let value = decoded(value)?;
    let (id, signature) = value.strip_prefix("s:")?.rsplit_once('.')?;
    let signature = BASE64_NOPAD.decode(signature.as_bytes()).ok()?;
    is_signed(id, &signature, keys).then(|| id.to_owned())
}

fn decoded(value: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(value).decode_utf8().ok()
}

fn is_signed(id: &str, signature: &[u8], keys: &[hmac::Key]) -> bool {
    let is_by = |key| hmac::verify(key, id.as_bytes(), signature).is_ok();
    !id.is_empty() && keys.iter().any(is_by)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_signed_is_read_and_nothing_else(id in "[ -~]{1,40}", text in "\\PC{0,60}") {
            let key = [hmac::Key::new(hmac::HMAC_SHA256, b"secret")];
            let mac = hmac::sign(&key[0], id.as_bytes());
            let encoded = id.replace('%', "%25");
            let better = format!("{encoded}.{}", BASE64.encode(mac.as_ref()));
            prop_assert_eq!(of_better_auth(&better, &key), Some(id.clone()));
            let express = format!("s%3A{encoded}.{}", BASE64_NOPAD.encode(mac.as_ref()));
            prop_assert_eq!(of_express(&express, &key), Some(id));
            for forged in [&text, &format!("s:{text}"), &format!("x{better}"), &format!("{express}A")] {
                prop_assert_eq!(of_better_auth(forged, &key), None);
                prop_assert_eq!(of_express(forged, &key), None);
            }
        }
    }
}
