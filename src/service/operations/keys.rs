//! Which keys a database needs: it notes the ids of those it is used with, and sealed values name theirs.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use crate::crypto::keyring::Keyring;
use crate::crypto::sealed::{self, Purpose, SealError};
use crate::crypto::token_keys::{SigningKeys, TokenKeys};
use crate::domain::ids::EmailId;
use crate::domain::{EmailMessage, lifetimes};
use crate::service::{Database, Services};
use crate::store::signing_keys::{self, HeldKey, NotedKey};
use crate::store::{Requester, StoreError, Tx};

/// How often [`note_keys`] is called at least.
pub const NOTED_EVERY: TimeDelta = TimeDelta::hours(1);

/// Waiting e-mails that are read at once.
const PAGE: u32 = 500;

/// A key, and what is lost without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededKey {
    pub kid: String,
    pub authenticators: i64,
    pub webhooks: i64,
    /// At most: sessions that have had a new token under another key are counted as well.
    pub sessions: i64,
    /// At most: those that wait and were written while the key was the newest.
    pub emails: i64,
}

impl NeededKey {
    fn is_needed(&self) -> bool {
        self.authenticators + self.webhooks + self.sessions + self.emails > 0
    }
}

impl fmt::Display for NeededKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let needs = [
            (self.authenticators, "authenticators"),
            (self.webhooks, "webhooks"),
            (self.sessions, "sessions"),
            (self.emails, "e-mails"),
        ];
        let needs = needs.into_iter().filter(|(count, _)| *count > 0);
        let needs: Vec<String> = needs
            .map(|(count, what)| format!("{what}: {count}"))
            .collect();
        write!(f, "key {} ({})", self.kid, needs.join(", "))
    }
}

/// What no key that is held opens or verifies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lost {
    pub keys: Vec<NeededKey>,
    /// E-mails that wait and cannot be sent.
    pub emails: u64,
}

impl Lost {
    pub fn is_nothing(&self) -> bool {
        self.keys.is_empty() && self.emails == 0
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys.iter().map(ToString::to_string);
        let emails = (self.emails > 0).then(|| format!("e-mails that wait: {}", self.emails));
        let all: Vec<String> = keys.chain(emails).collect();
        f.write_str(&all.join("; "))
    }
}

/// Notes the keys of this instance in the database.
///
/// # Errors
/// When the database cannot be written.
pub async fn note_keys(services: &Services) -> Result<(), StoreError> {
    let held = held(&services.tokens.keys());
    let now = services.now();
    services
        .store
        .maintain(move |tx| signing_keys::note(tx, &held, now))
        .await
}

fn held(keys: &TokenKeys) -> Vec<HeldKey> {
    let secrets = keys.secrets().kids().enumerate().map(|(at, kid)| HeldKey {
        kid: kid.to_owned(),
        alg: "HS256",
        signs: at == 0 && keys.signing().is_none(),
        seals: at == 0,
    });
    let signing = keys.signing().into_iter().flat_map(SigningKeys::iter);
    let signing = signing.enumerate().map(|(at, key)| HeldKey {
        kid: key.kid().to_owned(),
        alg: "ES256",
        signs: at == 0,
        seals: false,
    });
    secrets.chain(signing).collect()
}

/// The keys that this database needs now, those that it has known for longest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn needed_keys(
    database: &Database,
    now: DateTime<Utc>,
) -> Result<Vec<NeededKey>, StoreError> {
    let read = move |tx: &mut Tx<'_>| needed(tx, now, |_| true);
    database.read(Requester::OPERATOR, read).await
}

/// What none of these keys opens or verifies.
///
/// # Errors
/// When the database cannot be read.
pub async fn lost(
    database: &Database,
    keys: &TokenKeys,
    now: DateTime<Utc>,
) -> Result<Lost, StoreError> {
    let held: Vec<String> = held(keys).into_iter().map(|key| key.kid).collect();
    let is_lost = move |kid: &str| !held.iter().any(|held| held == kid);
    let read = move |tx: &mut Tx<'_>| needed(tx, now, is_lost);
    Ok(Lost {
        keys: database.read(Requester::OPERATOR, read).await?,
        emails: sealed_emails(database, keys.secrets(), now).await?,
    })
}

/// What none of the keys of this instance opens or verifies.
///
/// # Errors
/// When the database cannot be read.
pub async fn lost_of(services: &Services) -> Result<Lost, StoreError> {
    lost(&services.store, &services.tokens.keys(), services.now()).await
}

fn needed(
    tx: &mut Tx<'_>,
    now: DateTime<Utc>,
    counts: impl Fn(&str) -> bool,
) -> Result<Vec<NeededKey>, StoreError> {
    let noted = signing_keys::list(tx)?;
    let authenticators = signing_keys::authenticators(tx)?;
    let authenticators = authenticators
        .into_iter()
        .map(|(kid, count)| (kid.unwrap_or_default(), count));
    let authenticators: Vec<(String, i64)> = authenticators.collect();
    let webhooks = signing_keys::webhooks(tx)?;
    let mut kids: Vec<&str> = noted.iter().map(|key| key.kid.as_str()).collect();
    for (kid, _) in authenticators.iter().chain(&webhooks) {
        if !kids.contains(&kid.as_str()) {
            kids.push(kid);
        }
    }
    let of = |list: &[(String, i64)], kid: &str| {
        let found = list.iter().find(|(of, _)| of == kid);
        found.map_or(0, |(_, count)| *count)
    };
    let mut needed = Vec::new();
    for kid in kids.into_iter().filter(|kid| counts(kid)) {
        let key = NeededKey {
            kid: kid.to_owned(),
            authenticators: of(&authenticators, kid),
            webhooks: of(&webhooks, kid),
            sessions: match last_signature(kid, &noted, now) {
                Some(at) => signing_keys::live_sessions(tx, at, now)?,
                None => 0,
            },
            emails: match sealing(kid, &noted) {
                Some((since, until)) => signing_keys::waiting_since(tx, since, until)?,
                None => 0,
            },
        };
        needed.extend(key.is_needed().then_some(key));
    }
    Ok(needed)
}

/// When the last session began whose tokens may be signed with the key: when another key began to sign, if one did.
/// `None` once all its tokens have expired.
fn last_signature(kid: &str, noted: &[NotedKey], now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let signed_at = noted.iter().find(|key| key.kid == kid)?.signed_at?;
    if signed_at + NOTED_EVERY + lifetimes::ACCESS_TOKEN <= now {
        return None;
    }
    let successors = noted
        .iter()
        .filter(|key| key.signed_at.is_some() && key.since > signed_at);
    Some(successors.map(|key| key.since).min().unwrap_or(now))
}

/// From when until when e-mails may have been sealed with the key.
fn sealing(kid: &str, noted: &[NotedKey]) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let key = noted.iter().find(|key| key.kid == kid)?;
    Some((key.since, key.sealed_at? + NOTED_EVERY))
}

/// How many e-mails that wait none of the secrets opens.
async fn sealed_emails(
    database: &Database,
    keyring: &Keyring,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let mut after = EmailId::NIL;
    let mut count = 0;
    loop {
        let page = database
            .read(Requester::OPERATOR, move |tx| {
                signing_keys::waiting_emails(tx, after, PAGE)
            })
            .await?;
        let Some((last, _)) = page.last() else {
            return Ok(count);
        };
        after = *last;
        let is_sealed = |text: &str| {
            let opened = sealed::open::<EmailMessage>(text, now, Purpose::EmailMessage, keyring);
            matches!(opened, Err(SealError::Invalid))
        };
        count += page.iter().filter(|(_, text)| is_sealed(text)).count() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
    }

    fn key(kid: &str, since: i64, signed: Option<i64>) -> NotedKey {
        NotedKey {
            kid: kid.to_owned(),
            since: at(since),
            signed_at: signed.map(at),
            sealed_at: None,
        }
    }

    #[test]
    fn a_key_is_needed_until_its_tokens_have_expired() {
        let noted = [
            key("old", 0, Some(10)),
            key("new", 11, Some(100)),
            key("idle", 5, None),
        ];
        assert_eq!(last_signature("old", &noted, at(12)), Some(at(11)));
        assert_eq!(last_signature("old", &noted, at(10 + 7 * 24)), Some(at(11)));
        assert_eq!(last_signature("old", &noted, at(11 + 7 * 24)), None);
        assert_eq!(last_signature("new", &noted, at(101)), Some(at(101)));
        assert_eq!(last_signature("idle", &noted, at(6)), None);
        assert_eq!(last_signature("unknown", &noted, at(6)), None);
    }

    #[test]
    fn what_is_lost_is_named_with_its_key() {
        let lost = Lost {
            keys: vec![NeededKey {
                kid: "O_wq1KYCKcI".to_owned(),
                authenticators: 2,
                webhooks: 0,
                sessions: 7,
                emails: 0,
            }],
            emails: 1,
        };
        assert_eq!(
            lost.to_string(),
            "key O_wq1KYCKcI (authenticators: 2, sessions: 7); e-mails that wait: 1"
        );
        assert!(Lost::default().is_nothing() && !lost.is_nothing());
    }
}
