//! RS256 with `ring` for the `jsonwebtoken` crate, which we build without a crypto backend. Tests compare our own tokens
//! with it, so there it verifies HS256 and ES256 as well.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{Error, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

/// Installs the provider in `jsonwebtoken`; a second call changes nothing.
pub(super) fn install() {
    let _ = PROVIDER.install_default();
}

/// Nothing is signed through `jsonwebtoken`: it would parse the key again for each token.
fn signer(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    Err(ErrorKind::InvalidAlgorithm.into())
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    match (algorithm, key.kind()) {
        (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
            Ok(Box::new(Rs256(RsaPublicKeyComponents {
                n: n.clone(),
                e: e.clone(),
            })))
        }
        #[cfg(test)]
        (algorithm, key) => of_our_own_tokens::verifier(*algorithm, key),
        #[cfg(not(test))]
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

/// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3), for moduli from 2048 bits.
struct Rs256(RsaPublicKeyComponents<Vec<u8>>);

impl Verifier<Vec<u8>> for Rs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        self.0
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            .map_err(|_| Error::new())
    }
}

impl JwtVerifier for Rs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}

#[cfg(test)]
mod of_our_own_tokens {
    use ring::hmac;
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    pub(super) fn verifier(
        algorithm: Algorithm,
        key: &DecodingKeyKind,
    ) -> Result<Box<dyn JwtVerifier>> {
        match (algorithm, key) {
            (Algorithm::HS256, DecodingKeyKind::SecretOrDer(secret)) => {
                Ok(Box::new(Hs256(hmac::Key::new(hmac::HMAC_SHA256, secret))))
            }
            (Algorithm::ES256, DecodingKeyKind::SecretOrDer(point)) => {
                Ok(Box::new(Es256(point.clone())))
            }
            _ => Err(ErrorKind::InvalidAlgorithm.into()),
        }
    }

    struct Hs256(hmac::Key);

    impl Verifier<Vec<u8>> for Hs256 {
        fn verify(&self, message: &[u8], mac: &Vec<u8>) -> std::result::Result<(), Error> {
            hmac::verify(&self.0, message, mac).map_err(|_| Error::new())
        }
    }

    impl JwtVerifier for Hs256 {
        fn algorithm(&self) -> Algorithm {
            Algorithm::HS256
        }
    }

    /// With an uncompressed point.
    struct Es256(Vec<u8>);

    impl Verifier<Vec<u8>> for Es256 {
        fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.0)
                .verify(message, signature)
                .map_err(|_| Error::new())
        }
    }

    impl JwtVerifier for Es256 {
        fn algorithm(&self) -> Algorithm {
            Algorithm::ES256
        }
    }
}
