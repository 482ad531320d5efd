//! Issuing and judging access tokens with the keys in force.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};

use super::{Error, Profile, Result, SignedIn};
use crate::crypto::jwt::{self, Claims, Rules, TokenError};
use crate::crypto::keyring::Keyring;
use crate::domain::{Session, lifetimes};

/// The key ring, which an operator may exchange while the service runs, and the rules.
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

    /// Signs and verifies with these keys from now on; answers whether others did until now.
    pub(super) fn replace_keyring(&self, keyring: Keyring) -> bool {
        let mut current = self.keyring.write().unwrap_or_else(PoisonError::into_inner);
        let are_others = **current != keyring;
        *current = Arc::new(keyring);
        are_others
    }

    pub(super) fn keyring(&self) -> Arc<Keyring> {
        Arc::clone(&self.keyring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A token for somebody whose session lives.
    pub(super) fn issue(
        &self,
        now: DateTime<Utc>,
        session: &Session,
        ver: i32,
        profile: Profile,
    ) -> SignedIn {
        let iat = now.timestamp();
        let exp = lifetimes::access_token_expiry(now, session.expires_at).timestamp();
        let claims = Claims {
            sub: profile.id,
            org_id: profile.organization_id,
            role: profile.role,
            sid: session.id,
            ver,
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
    pub(super) fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims> {
        jwt::verify(token, now, &self.keyring(), &self.rules).map_err(|error| match error {
            TokenError::Invalid => Error::InvalidToken,
            TokenError::Expired => Error::TokenExpired,
        })
    }
}
