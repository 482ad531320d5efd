//! Session tokens that another system has issued: NextAuth's cookie has the name of ours.

use super::jwt;
use super::token_keys::TokenKeys;

/// No session token is shorter: 128 random bits take 22 characters of base64.
const SHORTEST: usize = 22;

/// Whether another system may have issued this session token, because it is not one of ours: a JWE, which has five parts
/// (RFC 7516 §7.1); a JWT that names none of our keys; or the token of a session that is stored somewhere.
pub fn is_foreign(token: &str, keys: &TokenKeys) -> bool {
    match token.split('.').count() {
        3 => !jwt::names_a_key(token, keys),
        5 => true,
        _ => token.len() >= SHORTEST,
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;
    use proptest::prelude::*;

    use super::*;
    use crate::crypto::keyring::Keyring;
    use crate::crypto::signing_key::{SigningKey, generate};
    use crate::crypto::token_keys::{SecretUse, SigningKeys};
    use secrecy::ExposeSecret as _;

    const SECRET: &str = "the secret, which has at least 32 bytes";

    fn keys(signing: Option<SigningKeys>) -> TokenKeys {
        TokenKeys::new(Keyring::new(&[SECRET.into()]).unwrap(), signing, 10)
    }

    fn with_header(header: &str) -> String {
        format!("{}.e30.c2ln", BASE64URL_NOPAD.encode(header.as_bytes()))
    }

    #[test]
    fn a_jwt_is_ours_if_it_names_one_of_our_keys() {
        let pem = generate().unwrap();
        let signing = SigningKey::read_all(pem.expose_secret()).remove(0).unwrap();
        let kids = [
            Keyring::new(&[SECRET.into()])
                .unwrap()
                .newest_kid()
                .to_owned(),
            signing.kid().to_owned(),
        ];
        // The secret's tokens are ours although they are no longer good.
        let keys = keys(SigningKeys::new(vec![signing], SecretUse::Refused));
        for kid in kids {
            let header = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
            assert!(!is_foreign(&with_header(&header), &keys), "{header}");
        }
        for header in [
            r#"{"alg":"HS256","kid":"another"}"#,
            r#"{"alg":"HS256","kid":1}"#,
            r#"{"alg":"HS256"}"#,
            "no JSON",
        ] {
            assert!(is_foreign(&with_header(header), &keys), "{header}");
        }
    }

    #[test]
    fn what_no_system_issues_is_not_foreign() {
        let keys = keys(None);
        for (token, expected) in [
            ("", false),
            ("nonsense", false),
            ("a.b", false),
            ("a.b.c", true),
            ("a.b.c.d.e", true),
            ("0b0f6a0c-3f39-4a64-8c0e-6f3f4d1b5a77", true),
            (&"a".repeat(64), true),
        ] {
            assert_eq!(is_foreign(token, &keys), expected, "{token}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(token in "[ -~]{0,80}|([A-Za-z0-9_-]{0,40}\\.){2}[A-Za-z0-9_-]{0,40}") {
            is_foreign(&token, &keys(None));
        }
    }
}
