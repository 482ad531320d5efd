//! E-mail addresses: which we accept, and the normal form in which they are compared.

use std::fmt;

use validator::ValidateEmail;

use super::domain_name::DomainName;
use super::typed::trimmed;
use super::violation::ValidationError;

/// An address in the form that is stored, compared and mailed to: lower case, domain in ASCII (IDNA).
///
/// Addresses that differ only in case are equal; addresses that only look alike are different.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

/// RFC 5321 §4.5.3.1.3: a path is at most 256 octets, two of which are its angle brackets.
const MAX_BYTES: usize = 254;

impl Email {
    /// Trims, as browsers do, and accepts what the WHATWG rule accepts, except for what causes trouble in mail servers:
    /// a domain without a dot, an address literal, an encoded word (RFC 2047), empty atoms.
    ///
    /// # Errors
    /// `invalid_email`, or `required` for an empty text.
    pub fn parse(text: &str) -> Result<Self, ValidationError> {
        let text = trimmed(text);
        if text.is_empty() {
            return Err(ValidationError::new(
                "required",
                "Please enter an e-mail address.",
            ));
        }
        Self::parse_non_empty(text).ok_or_else(|| {
            ValidationError::new(
                "invalid_email",
                "Please enter an e-mail address such as ada@example.com.",
            )
        })
    }

    fn parse_non_empty(text: &str) -> Option<Self> {
        if text.len() > 4 * MAX_BYTES || text.contains("=?") {
            return None;
        }
        let (local, domain) = text.rsplit_once('@')?;
        if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
            return None;
        }
        if !local.is_ascii() || local.bytes().any(|b| b == b'"' || b.is_ascii_control()) {
            return None;
        }
        let domain = DomainName::of_mail(domain)?;
        let address = format!("{}@{domain}", local.to_ascii_lowercase());
        (address.len() <= MAX_BYTES && address.validate_email()).then_some(Self(address))
    }

    /// An address read from the database, which was validated before it was stored.
    pub fn from_stored(address: String) -> Self {
        Self(address)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the `@`.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// The part after the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::strategy::Strategy as _;

    use super::*;

    #[test]
    fn addresses_compare_without_case() {
        assert_eq!(
            Email::parse("Ada@Example.COM").unwrap(),
            Email::parse("ada@example.com").unwrap()
        );
    }

    #[test]
    fn an_address_is_trimmed() {
        for typed in [
            " ada@c.de",
            "ada@c.de ",
            "ada@c.de\n",
            "\u{a0}ada@c.de\u{200b}",
        ] {
            assert_eq!(
                Email::parse(typed).unwrap().as_str(),
                "ada@c.de",
                "{typed:?}"
            );
        }
        assert_eq!(Email::parse(" \u{200b}").unwrap_err().code, "required");
    }

    #[test]
    fn a_unicode_domain_is_kept_in_its_ascii_form() {
        assert_eq!(
            Email::parse("ada@bücher.example").unwrap().as_str(),
            "ada@xn--bcher-kva.example"
        );
    }

    #[test]
    fn usual_addresses_are_accepted() {
        for address in [
            "a@b.co",
            "first.last+tag@sub.example.com",
            "o'brien@example.ie",
            "x_y-z@example-host.org",
            "1234567890@example.com",
        ] {
            assert!(Email::parse(address).is_ok(), "{address}");
        }
    }

    #[test]
    fn addresses_that_trouble_mail_servers_are_rejected() {
        let too_long = format!("{}@{}.example", "a".repeat(64), "b.".repeat(120));
        for address in [
            "",
            " ",
            "ada",
            "@b.co",
            "a@",
            "a@b",
            "a@b.",
            "a@.b.co",
            "a..b@c.de",
            ".a@c.de",
            "a.@c.de",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a b@c.de",
            "a @c.de",
            "a@ c.de",
            "a\u{200b}b@c.de",
            "a\r\n@c.de",
            "a@c.de\0",
            "\"a b\"@c.de",
            "=?utf-8?q?a?=@c.de",
            "a@b@c.de",
            "аda@example.com",
            "a@exa mple.com",
            "a@-example.com",
            "a@example..com",
            "a,b@c.de",
            "<a@c.de>",
            &too_long,
        ] {
            assert!(Email::parse(address).is_err(), "{address:?}");
        }
    }

    /// Concatenated pieces of addresses and of attacks on address parsers.
    fn confusing() -> impl proptest::strategy::Strategy<Value = String> {
        let pieces = vec![
            "a",
            "A",
            ".",
            "..",
            "@",
            "-",
            "+",
            "=?",
            "?=",
            "\"",
            "\\",
            "'",
            ",",
            ";",
            "<",
            ">",
            " ",
            "\t",
            "\r\n",
            "\0",
            "[127.0.0.1]",
            "127.0.0.1",
            "example",
            "com",
            "xn--",
            "xn--bcher-kva",
            "ü",
            "ß",
            "İ",
            "а",
            "．",
            "。",
            "\u{ad}",
            "\u{200d}",
            "\u{202e}",
            "%",
            "(x)",
            "\u{7f}",
        ];
        proptest::collection::vec(proptest::sample::select(pieces), 0..5)
            .prop_map(|pieces| pieces.concat())
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(4096))]

        /// Checked without the code under test.
        #[test]
        fn an_accepted_address_is_plain_and_parses_to_itself(
            local in confusing(),
            domain in proptest::prop_oneof![proptest::strategy::Just("example.com".to_owned()), confusing()],
            tail in proptest::sample::select(vec!["", ".com", "@example.com"]),
        ) {
            let given = format!("{local}@{domain}{tail}");
            if let Ok(email) = Email::parse(&given) {
                let address = email.as_str();
                let is_plain = |b: u8| b.is_ascii_graphic() && !b"\",;<>()[]\\".contains(&b);
                proptest::prop_assert!(address.bytes().all(is_plain), "{given:?}: {address}");
                proptest::prop_assert!(!address.bytes().any(|b| b.is_ascii_uppercase()));
                proptest::prop_assert_eq!(address.matches('@').count(), 1);
                proptest::prop_assert!(!address.contains("..") && !address.contains("=?"));
                proptest::prop_assert!(email.domain().trim_matches('.').contains('.'));
                proptest::prop_assert!(email.domain().parse::<std::net::IpAddr>().is_err());
                proptest::prop_assert_eq!(Email::parse(address), Ok(email));
            }
        }

        #[test]
        fn arbitrary_text_never_panics(given in "\\PC*") {
            let _ = Email::parse(&given);
        }
    }
}
