//! Issues and verifies access tokens with the current keys.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};

use crate::crypto::jwt::{self, Claims, Rules, TokenError};
use crate::crypto::keyring::Keyring;
use crate::domain::{Lifetimes, Session, TokenVersions};
use crate::service::{Error, Profile, Result, SignedIn};

/// The keyring, which the operator can replace at run time, and the rules.
pub struct Tokens {
    keyring: RwLock<Arc<Keyring>>,
    rules: Rules,
}

impl Tokens {
    pub fn new(keyring: Keyring, rules: Rules) -> Self {
        Self {
            keyring: RwLock::new(Arc::new(keyring)),
            rules,
        }
    }

    /// Signs and verifies with these keys from now on; returns whether they changed.
    pub(in crate::service) fn replace_keyring(&self, keyring: Keyring) -> bool {
        let mut current = self.keyring.write().unwrap_or_else(PoisonError::into_inner);
        let have_changed = **current != keyring;
        *current = Arc::new(keyring);
        have_changed
    }

    pub(in crate::service) fn keyring(&self) -> Arc<Keyring> {
        Arc::clone(&self.keyring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Issues a token for a live session of an organization with these lifetimes.
    pub(in crate::service) fn issue(
        &self,
        now: DateTime<Utc>,
        (session, lifetimes): (&Session, Lifetimes),
        versions: TokenVersions,
        profile: Profile,
    ) -> SignedIn {
        let iat = now.timestamp();
        let exp = lifetimes.token_expiry(now, session).timestamp();
        let claims = Claims {
            sub: profile.id,
            organization: profile.organization,
            sid: session.id,
            ver: versions.token,
            pv: versions.permissions,
            iat,
            exp,
        };
        SignedIn {
            access_token: jwt::sign(&claims, &self.keyring(), &self.rules),
            expires_in: exp - iat,
            profile,
        }
    }

    /// # Errors
    /// `InvalidToken` or `TokenExpired`.
    pub(in crate::service) fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims> {
        jwt::verify(token, now, &self.keyring(), &self.rules).map_err(|error| match error {
            TokenError::Invalid => Error::InvalidToken,
            TokenError::Expired => Error::TokenExpired,
        })
    }
}
