//! Whether a database and the keys for it belong together: they do what a server does with both.

use chrono::{DateTime, TimeDelta, Utc};

use super::keys::{Lost, lost};
use crate::crypto::jwt::{self, Claims, Extras, Rules};
use crate::crypto::token_keys::TokenKeys;
use crate::domain::{ActiveOrganization, SessionId, User, UserId};
use crate::service::{Database, mfa, webhooks};
use crate::store::backup::{self, Contents};
use crate::store::{Requester, StoreError, Tx};

/// How long the token for the proof would be valid.
const VALID: TimeDelta = TimeDelta::minutes(1);

/// What was proven with a database.
#[derive(Debug)]
pub struct Proof {
    pub contents: Contents,
    /// For whom a token was issued and verified; `None` if there is nobody.
    pub token_of: Option<UserId>,
    /// A sealed value that was opened; `None` if there is none, or none that these keys open.
    pub opened: Option<Sealed>,
    /// What no key opens or verifies.
    pub lost: Lost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealed {
    Authenticator,
    Webhook,
}

impl Sealed {
    /// With its article.
    pub fn name(self) -> &'static str {
        match self {
            Self::Authenticator => "an authenticator",
            Self::Webhook => "the secret of a webhook",
        }
    }
}

/// Issues and verifies a token for somebody, opens a sealed value, and counts what cannot be opened.
///
/// # Errors
/// When the database cannot be read.
pub async fn prove(
    database: &Database,
    keys: &TokenKeys,
    rules: &Rules,
    now: DateTime<Utc>,
) -> Result<Proof, StoreError> {
    let read = |tx: &mut Tx<'_>| {
        let somebody = backup::somebody(tx)?;
        Ok::<_, StoreError>((backup::contents(tx)?, somebody))
    };
    let (contents, somebody) = database.read(Requester::OPERATOR, read).await?;
    let lost = lost(database, keys, now).await?;
    Ok(Proof {
        contents,
        token_of: somebody
            .filter(|(user, active)| signs_and_verifies(user, *active, keys, rules, now))
            .map(|(user, _)| user.id),
        opened: open_one(database, keys).await?,
        lost,
    })
}

fn signs_and_verifies(
    user: &User,
    organization: Option<ActiveOrganization>,
    keys: &TokenKeys,
    rules: &Rules,
    now: DateTime<Utc>,
) -> bool {
    let claims = Claims {
        sub: user.id,
        organization,
        sid: SessionId::NIL,
        ver: user.token_version,
        pv: user.permissions_version,
        iat: now.timestamp(),
        exp: (now + VALID).timestamp(),
    };
    let token = jwt::sign(&claims, &Extras::default(), keys, rules);
    jwt::verify(&token, now, keys, rules) == Ok(claims)
}

async fn open_one(database: &Database, keys: &TokenKeys) -> Result<Option<Sealed>, StoreError> {
    if mfa::opens_one(database, keys.secrets()).await? {
        return Ok(Some(Sealed::Authenticator));
    }
    let is_opened = webhooks::opens_one(database, keys.secrets()).await?;
    Ok(is_opened.then_some(Sealed::Webhook))
}
