//! The key that signs ID tokens, and the endpoint that publishes its public half.

use data_encoding::BASE64URL_NOPAD;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::RSA_PKCS1_SHA256;
use serde_json::{Value, json};

/// RSA, 2048 bits, PKCS#8. `ring` cannot generate RSA keys, so this one is public: a token signed with it
/// proves nothing.
const KEY: &[u8] = include_bytes!("public_knowledge_signs_nothing_but_the_sandbox.pk8.der");

const KEY_ID: &str = "slack-sandbox";

pub(super) struct SigningKey {
    pair: KeyPair,
    random: SystemRandom,
}

impl SigningKey {
    #[expect(
        clippy::expect_used,
        reason = "the key is embedded and covered by tests"
    )]
    #[expect(
        clippy::disallowed_methods,
        reason = "ring accepts no other source, and PKCS #1 signatures do not use it"
    )]
    pub(super) fn embedded() -> Self {
        Self {
            pair: KeyPair::from_pkcs8(KEY).expect("it is a PKCS #8 key"),
            random: SystemRandom::new(),
        }
    }

    pub(super) fn id(&self) -> &'static str {
        KEY_ID
    }

    /// RS256 (RFC 7518, 3.3).
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        // It only fails for a buffer of the wrong length or without memory.
        let _ = self
            .pair
            .sign(&RSA_PKCS1_SHA256, &self.random, message, &mut signature);
        signature
    }

    /// A JWK Set (RFC 7517).
    pub(super) fn public(&self) -> Value {
        let components: PublicKeyComponents<Vec<u8>> = self.pair.public().into();
        json!({"keys": [{
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": KEY_ID,
            "n": BASE64URL_NOPAD.encode(&components.n),
            "e": BASE64URL_NOPAD.encode(&components.e),
        }]})
    }
}
