//! All keys of access tokens: which one signs, and which ones verify what.

use std::collections::HashSet;
use std::fmt;
use std::iter;
use std::sync::Arc;

use quick_cache::sync::Cache;
use ring::digest::{SHA256, digest};

use super::keyring::{Key, Keyring};
use super::signing_key::SigningKey;

/// The secrets, and the signing keys, if there are any. The newest signing key makes new tokens, unless the newest secret
/// does [still](SecretUse::Signs).
#[derive(Debug)]
pub struct TokenKeys {
    secrets: Arc<Keyring>,
    signing: Option<(SigningKeys, VerifiedTokens)>,
}

/// At least one signing key: all verify, and the first signs, unless a secret does.
#[derive(Clone)]
pub struct SigningKeys {
    newest: SigningKey,
    older: Vec<SigningKey>,
    secret_use: SecretUse,
}

/// What the secrets do next to signing keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretUse {
    /// They sign, until every instance has the signing keys: none refuses what another one signs.
    Signs,
    /// They do not sign, and the tokens that they have signed are good.
    Verifies,
    /// Their tokens are refused.
    Refused,
}

/// A key of one algorithm, whatever a token says.
pub(super) enum TokenKey<'a> {
    Hs256(&'a Key),
    Es256(&'a SigningKey, &'a VerifiedTokens),
}

/// Hashes of tokens whose ES256 signature was verified: to verify one takes a hundred times as long as to remember it.
/// They belong to their keys, and end with them.
#[derive(Debug)]
pub(super) struct VerifiedTokens(Cache<[u8; 32], ()>);

impl TokenKeys {
    /// Remembers at most `remembered` tokens that a signing key has signed, of about 100 bytes each.
    pub fn new(secrets: Keyring, signing: Option<SigningKeys>, remembered: usize) -> Self {
        let verified = || VerifiedTokens(Cache::new(remembered));
        Self {
            secrets: Arc::new(secrets),
            signing: signing.map(|keys| (keys, verified())),
        }
    }

    pub fn secrets(&self) -> &Arc<Keyring> {
        &self.secrets
    }

    /// `None` if there are only secrets.
    pub fn signing(&self) -> Option<&SigningKeys> {
        self.signing.as_ref().map(|(keys, _)| keys)
    }

    pub(super) fn newest(&self) -> TokenKey<'_> {
        match &self.signing {
            Some((keys, verified)) if keys.secret_use != SecretUse::Signs => {
                TokenKey::Es256(&keys.newest, verified)
            }
            _ => TokenKey::Hs256(self.secrets.newest()),
        }
    }

    /// The key whose tokens start with these characters, so that their header need not be parsed.
    pub(super) fn with_header(&self, encoded: &str) -> Option<TokenKey<'_>> {
        self.iter().find(|key| key.encoded_header() == encoded)
    }

    /// The key of this algorithm and id.
    pub(super) fn find(&self, alg: &str, kid: &str) -> Option<TokenKey<'_>> {
        self.iter().find(|key| key.alg() == alg && key.kid() == kid)
    }

    /// Whether it is the id of one of the keys, even of a secret whose tokens are no longer good.
    pub(super) fn has_kid(&self, kid: &str) -> bool {
        self.all().any(|key| key.kid() == kid)
    }

    /// All keys that verify tokens.
    fn iter(&self) -> impl Iterator<Item = TokenKey<'_>> {
        let secret_use = self.signing().map(SigningKeys::secret_use);
        let refuses_secrets = secret_use == Some(SecretUse::Refused);
        self.all()
            .filter(move |key| !refuses_secrets || matches!(key, TokenKey::Es256(..)))
    }

    fn all(&self) -> impl Iterator<Item = TokenKey<'_>> {
        let signing = self.signing.iter().flat_map(|(keys, verified)| {
            keys.iter().map(move |key| TokenKey::Es256(key, verified))
        });
        signing.chain(self.secrets.iter().map(TokenKey::Hs256))
    }
}

/// Equal if they verify and sign the same. What is remembered does not count.
impl PartialEq for TokenKeys {
    fn eq(&self, other: &Self) -> bool {
        self.secrets == other.secrets && self.signing() == other.signing()
    }
}

impl SigningKeys {
    /// `None` without a key, or with one twice.
    pub fn new(keys: Vec<SigningKey>, secret_use: SecretUse) -> Option<Self> {
        let kids: HashSet<&str> = keys.iter().map(SigningKey::kid).collect();
        if kids.len() < keys.len() {
            return None;
        }
        let mut keys = keys.into_iter();
        Some(Self {
            newest: keys.next()?,
            older: keys.collect(),
            secret_use,
        })
    }

    pub fn secret_use(&self) -> SecretUse {
        self.secret_use
    }

    /// Newest first.
    pub fn iter(&self) -> impl Iterator<Item = &SigningKey> {
        iter::once(&self.newest).chain(&self.older)
    }
}

impl PartialEq for SigningKeys {
    fn eq(&self, other: &Self) -> bool {
        self.secret_use == other.secret_use
            && self
                .iter()
                .map(SigningKey::kid)
                .eq(other.iter().map(SigningKey::kid))
    }
}

/// Only the key ids.
impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl TokenKey<'_> {
    fn alg(&self) -> &'static str {
        match self {
            Self::Hs256(_) => "HS256",
            Self::Es256(..) => "ES256",
        }
    }

    fn kid(&self) -> &str {
        match self {
            Self::Hs256(key) => &key.kid,
            Self::Es256(key, _) => key.kid(),
        }
    }

    /// The header of every token that this key signs.
    pub(super) fn encoded_header(&self) -> &str {
        match self {
            Self::Hs256(key) => &key.encoded_header,
            Self::Es256(key, _) => key.encoded_header(),
        }
    }

    /// The signature in base64url.
    pub(super) fn sign(&self, signed: &str) -> String {
        match self {
            Self::Hs256(key) => key.sign(signed),
            Self::Es256(key, _) => key.sign(signed),
        }
    }

    /// Whether this is the key's signature. `token` is both parts, with a dot between them.
    pub(super) fn verifies(&self, token: &str, signed: &str, signature: &str) -> bool {
        match self {
            Self::Hs256(key) => key.verifies(signed, signature),
            Self::Es256(key, verified) => {
                verified.remembers_or(token, || key.verifies(signed, signature))
            }
        }
    }
}

impl VerifiedTokens {
    /// Whether the token was verified before, or else is now. The hash is of the whole token, signature included, so no
    /// token is taken for another one, and a forged one is never remembered.
    fn remembers_or(&self, token: &str, verifies: impl FnOnce() -> bool) -> bool {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        if self.0.get(&hash).is_some() {
            return true;
        }
        let is_good = verifies();
        if is_good {
            self.0.insert(hash, ());
        }
        is_good
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use secrecy::ExposeSecret;

    use super::SecretUse::{Refused, Signs, Verifies};
    use super::*;
    use crate::crypto::signing_key::generate;

    fn key() -> SigningKey {
        let pem = generate().unwrap();
        SigningKey::read_all(pem.expose_secret()).remove(0).unwrap()
    }

    fn secrets() -> Keyring {
        Keyring::new(&["new".into(), "old".into()]).unwrap()
    }

    fn keys(signing: &[&SigningKey], secret_use: SecretUse) -> TokenKeys {
        let signing = signing.iter().map(|&key| key.clone()).collect();
        TokenKeys::new(secrets(), SigningKeys::new(signing, secret_use), 1000)
    }

    #[test]
    fn signing_keys_are_at_least_one_and_none_twice() {
        let (a, b) = (key(), key());
        assert!(SigningKeys::new(Vec::new(), Verifies).is_none());
        assert!(SigningKeys::new(vec![a.clone(), b.clone(), a.clone()], Verifies).is_none());
        let keys = SigningKeys::new(vec![a.clone(), b.clone()], Refused).unwrap();
        assert_eq!(format!("{keys:?}"), format!("{:?}", [a.kid(), b.kid()]));
    }

    #[test]
    fn a_key_is_found_by_its_own_algorithm_only() {
        let (signing, secrets) = (key(), secrets());
        let both = keys(&[&signing], Verifies);
        let found = |keys: &TokenKeys, alg: &str, kid: &str| {
            keys.find(alg, kid)
                .map(|key| (key.alg(), key.kid().to_owned()))
        };
        let secret = secrets.newest_kid();
        assert_eq!(
            found(&both, "ES256", signing.kid()),
            Some(("ES256", signing.kid().to_owned()))
        );
        assert_eq!(
            found(&both, "HS256", secret),
            Some(("HS256", secret.to_owned()))
        );
        for (alg, kid) in [
            ("HS256", signing.kid()),
            ("ES256", secret),
            ("none", signing.kid()),
            ("", secret),
            ("ES256", ""),
            ("es256", signing.kid()),
        ] {
            assert_eq!(found(&both, alg, kid), None, "{alg} {kid}");
        }
        assert_eq!(found(&keys(&[&signing], Refused), "HS256", secret), None);
    }

    #[test]
    fn a_signing_key_signs_unless_the_secret_still_does() {
        let key = key();
        let newest = |signing: &[&SigningKey], secret_use| keys(signing, secret_use).newest().alg();
        assert_eq!(newest(&[&key], Signs), "HS256");
        assert_eq!(newest(&[&key], Verifies), "ES256");
        assert_eq!(newest(&[&key], Refused), "ES256");
        assert_eq!(newest(&[], Verifies), "HS256");
        let both = keys(&[&key], Signs);
        assert!(both.find("ES256", key.kid()).is_some());
        assert!(both.find("HS256", secrets().newest_kid()).is_some());
    }

    #[test]
    fn keys_are_equal_if_they_sign_and_verify_the_same() {
        let (a, b) = (key(), key());
        assert!(keys(&[&a, &b], Verifies) == keys(&[&a, &b], Verifies));
        for other in [
            keys(&[&b, &a], Verifies),
            keys(&[&a], Verifies),
            keys(&[&a, &b], Refused),
            keys(&[&a, &b], Signs),
            keys(&[], Verifies),
        ] {
            assert!(keys(&[&a, &b], Verifies) != other, "{other:?}");
        }
    }

    #[test]
    fn a_signature_is_verified_once_and_a_wrong_one_each_time() {
        let verified = VerifiedTokens(Cache::new(1000));
        let count = Cell::new(0);
        let ask = |token: &str, is_good: bool| {
            verified.remembers_or(token, || {
                count.set(count.get() + 1);
                is_good
            })
        };
        assert!(ask("a.b.c", true) && ask("a.b.c", false));
        assert_eq!(count.get(), 1);
        assert!(!ask("a.b.d", false) && !ask("a.b.d", false));
        assert_eq!(count.get(), 3);
        assert!(ask("a.b.d", true));
        assert!(!ask("A.b.c", false) && !ask("a.b.c ", false) && !ask("", false));
    }

    #[test]
    fn memory_is_bounded_and_only_good_tokens_use_it() {
        let verified = VerifiedTokens(Cache::new(1000));
        for n in 0..500 {
            assert!(verified.remembers_or(&format!("good {n}"), || true));
        }
        for n in 0..100_000 {
            assert!(!verified.remembers_or(&format!("forged {n}"), || false));
        }
        assert_eq!(verified.0.len(), 500);
        assert!((0..500).all(|n| verified.remembers_or(&format!("good {n}"), || false)));
        for n in 0..100_000 {
            assert!(verified.remembers_or(&format!("further {n}"), || true));
        }
        assert!(verified.0.len() <= 1100, "{}", verified.0.len());
        assert!(
            verified.0.memory_used().total() < 200_000,
            "{:?}",
            verified.0.memory_used()
        );
    }
}
