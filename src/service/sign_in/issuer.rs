//! Issues and verifies access tokens with the current keys.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};

use crate::crypto::jwt::{self, Claims, Extras, Rules, TokenError};
use crate::crypto::keyring::Keyring;
use crate::crypto::token_keys::TokenKeys;
use crate::domain::{Lifetimes, Session, TokenVersions, User};
use crate::service::{Error, Profile, Result, SignedIn};
use crate::store::{StoreError, Tx, external_ids};

/// The keys, which the operator can replace at run time, and the rules.
pub struct Tokens {
    keys: RwLock<Arc<TokenKeys>>,
    rules: Rules,
    external_ids: ExternalIdClaim,
}

/// Whether tokens have the claim `externalId`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExternalIdClaim {
    Absent,
    /// Of users who were imported.
    Present,
}

/// What a token says of its user besides their profile.
#[derive(Debug, Clone)]
pub(in crate::service) struct UserFacts {
    versions: TokenVersions,
    extras: Extras,
}

impl UserFacts {
    pub(in crate::service) fn of(
        tx: &mut Tx<'_>,
        user: &User,
        claim: ExternalIdClaim,
    ) -> Result<Self, StoreError> {
        let external_id = match claim {
            ExternalIdClaim::Absent => None,
            ExternalIdClaim::Present => external_ids::latest_of_user(tx, user.id)?,
        };
        Ok(Self {
            versions: user.into(),
            extras: Extras { external_id },
        })
    }
}

impl Tokens {
    pub fn new(keys: TokenKeys, rules: Rules, external_ids: ExternalIdClaim) -> Self {
        Self {
            keys: RwLock::new(Arc::new(keys)),
            rules,
            external_ids,
        }
    }

    pub(in crate::service) fn external_ids(&self) -> ExternalIdClaim {
        self.external_ids
    }

    /// Signs and verifies with these keys from now on; returns whether they changed.
    pub(in crate::service) fn replace_keys(&self, keys: TokenKeys) -> bool {
        let mut current = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let have_changed = **current != keys;
        if have_changed {
            *current = Arc::new(keys);
        }
        have_changed
    }

    pub(in crate::service) fn keys(&self) -> Arc<TokenKeys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(in crate::service) fn keyring(&self) -> Arc<Keyring> {
        Arc::clone(self.keys().secrets())
    }

    /// `iss` of every token, if it is set.
    pub(in crate::service) fn issuer(&self) -> Option<&str> {
        self.rules.issuer.as_deref()
    }

    pub(in crate::service) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Issues a token for a live session of an organization with these lifetimes.
    pub(in crate::service) fn issue(
        &self,
        now: DateTime<Utc>,
        (session, lifetimes): (&Session, Lifetimes),
        user: UserFacts,
        profile: Profile,
    ) -> SignedIn {
        let iat = now.timestamp();
        let exp = lifetimes.token_expiry(now, session).timestamp();
        let claims = Claims {
            sub: profile.id,
            organization: profile.organization,
            sid: session.id,
            ver: user.versions.token,
            pv: user.versions.permissions,
            iat,
            exp,
        };
        SignedIn {
            access_token: jwt::sign(&claims, &user.extras, &self.keys(), &self.rules),
            expires_in: exp - iat,
            profile,
        }
    }

    /// # Errors
    /// `InvalidToken` or `TokenExpired`.
    pub(in crate::service) fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims> {
        jwt::verify(token, now, &self.keys(), &self.rules).map_err(|error| match error {
            TokenError::Invalid => Error::InvalidToken,
            TokenError::Expired => Error::TokenExpired,
        })
    }
}
