//! Signatures of webhooks, by Standard Webhooks 1.0: HMAC-SHA256 over id, timestamp and body.
//!
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use data_encoding::BASE64;
use ring::hmac;
use zeroize::Zeroizing;

use crate::domain::WebhookEventId;

/// The secret that a webhook shares with its receiver.
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl WebhookSecret {
    const MARK: &'static str = "whsec_";

    /// `random` must come from a cryptographic source.
    pub fn new(random: [u8; 32]) -> Self {
        Self(Zeroizing::new(random.to_vec()))
    }

    /// Parses what [`expose`](Self::expose) gives, and secrets of other lengths that the standard allows: 24 to 64
    /// bytes.
    pub fn parse(text: &str) -> Option<Self> {
        let key = BASE64.decode(text.strip_prefix(Self::MARK)?.as_bytes());
        let key = Zeroizing::new(key.ok()?);
        (24..=64).contains(&key.len()).then_some(Self(key))
    }

    /// As the receiver gets it: the key in base64 behind `whsec_`.
    pub fn expose(&self) -> String {
        format!("{}{}", Self::MARK, BASE64.encode(&self.0))
    }

    /// One signature of `webhook-signature`. `timestamp` is in seconds since 1970.
    pub fn sign(&self, id: WebhookEventId, timestamp: i64, body: &str) -> String {
        self.sign_text(&id.to_string(), timestamp, body)
    }

    fn sign_text(&self, id: &str, timestamp: i64, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let signed = format!("{id}.{timestamp}.{body}");
        let tag = hmac::sign(&key, signed.as_bytes());
        format!("v1,{}", BASE64.encode(tag.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_that_other_libraries_compute() {
        let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
        let secret = WebhookSecret::parse(secret).unwrap();
        let body = r#"{"type":"user.disabled","timestamp":"2026-11-29T17:00:00Z","data":{"userId":"0198c0de-0000-7000-8000-000000000001"}}"#;
        let expected = "v1,JGpaR8chgvMhDT+GOSxeT7XEzrlYXFVw/AGvk1L5psM=";
        assert_eq!(secret.sign_text("msg_1", 1_764_435_600, body), expected);
        for other in [
            secret.sign_text("msg_2", 1_764_435_600, body),
            secret.sign_text("msg_1", 1_764_435_601, body),
            secret.sign_text("msg_1", 1_764_435_600, &body.replace(':', ": ")),
            WebhookSecret::new([7; 32]).sign_text("msg_1", 1_764_435_600, &format!("{body} ")),
        ] {
            assert_ne!(other, expected);
        }
    }

    #[test]
    fn a_secret_is_base64_with_padding_of_24_to_64_bytes() {
        let secret = WebhookSecret::new([7; 32]).expose();
        assert_eq!(secret, "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
        assert_eq!(WebhookSecret::parse(&secret).unwrap().expose(), secret);
        let of = |bytes: usize| {
            WebhookSecret::parse(&format!("whsec_{}", BASE64.encode(&vec![1; bytes])))
        };
        assert!(of(24).is_some() && of(64).is_some());
        assert!(of(23).is_none() && of(65).is_none());
        for text in ["", "whsec_", &secret[6..], secret.trim_end_matches('=')] {
            assert!(WebhookSecret::parse(text).is_none(), "{text}");
        }
    }
}
