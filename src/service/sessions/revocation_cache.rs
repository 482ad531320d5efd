//! What this instance holds in memory about revoked tokens and people, and how it stays true.
//!
//! Every change that matters is a row of the `changes` table, written in the transaction of the act. The
//! instance that acts notes it here before it answers; the others read it within a second. A request
//! then needs no query: it asks these maps.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use quick_cache::sync::Cache;

use crate::crypto::jwt::Claims;
use crate::domain::change::RecordedChange;
use crate::domain::{ApiToken, Change, Membership, OrganizationId, SessionId, User, UserId};
use crate::service::unit_of_work::Database;
use crate::store::{StoreError, api_tokens, changes, memberships, organizations, totp, users};

/// How often the table is read, bell or no bell: half of the second that is promised.
pub const POLL_EVERY: Duration = Duration::from_millis(500);

/// Memory that has not been refreshed for this long is not believed.
const BELIEVED_FOR: Duration = Duration::from_secs(2);

/// People held in memory, about half a kilobyte each.
const PEOPLE: usize = 50_000;

/// Of how many tokens of services it is known whose they are.
const API_TOKENS: usize = 50_000;

/// A user, every organization they belong to, the first joined first, and the tokens they gave to services.
#[derive(Debug)]
pub struct Person {
    pub user: User,
    pub memberships: Vec<Membership>,
    /// Those of them that want a second factor, while the user has none.
    shut: Vec<OrganizationId>,
    pub api_tokens: Vec<HeldApiToken>,
}

/// A token that was not revoked.
#[derive(Debug)]
pub struct HeldApiToken {
    pub token: ApiToken,
    hash: String,
    /// Seconds since 1970, zero before the first use. Ahead of the database by what this instance has noted since.
    last_used: AtomicI64,
}

impl HeldApiToken {
    fn new((token, hash): (ApiToken, String)) -> Self {
        let last_used = token.last_used_at.map_or(0, |at| at.timestamp());
        Self {
            token,
            hash,
            last_used: AtomicI64::new(last_used),
        }
    }

    /// Whether none of the uses known here was in the last `period`. Of several at once, one is told so.
    pub fn is_first_use_in(&self, period: TimeDelta, now: DateTime<Utc>) -> bool {
        let last_used = self.last_used.load(Ordering::Relaxed);
        let now = now.timestamp();
        now - last_used >= period.num_seconds()
            && self
                .last_used
                .compare_exchange(last_used, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

/// The maps, and how far they have read.
pub struct RevocationCache {
    revoked: RwLock<Revoked>,
    people: Cache<UserId, Arc<Person>>,
    /// Whose tokens the hashes are of. That never changes, so nothing outdates it.
    api_token_owners: Cache<String, UserId>,
    /// Counts the changes noted, so that a row read before one is not kept after it.
    noted: AtomicU64,
    last_seq: AtomicI64,
    started: Instant,
    /// Milliseconds after `started`; 0 before the first load.
    refreshed: AtomicU64,
}

/// Only entries that some living token could run into.
#[derive(Default)]
struct Revoked {
    sessions: HashMap<SessionId, DateTime<Utc>>,
    users: HashMap<UserId, (i32, DateTime<Utc>)>,
}

impl Default for RevocationCache {
    fn default() -> Self {
        Self {
            revoked: RwLock::default(),
            people: Cache::new(PEOPLE),
            api_token_owners: Cache::new(API_TOKENS),
            noted: AtomicU64::new(0),
            last_seq: AtomicI64::new(0),
            started: Instant::now(),
            refreshed: AtomicU64::new(0),
        }
    }
}

impl RevocationCache {
    /// Whether the maps may be believed without asking the database.
    pub fn is_fresh(&self) -> bool {
        let refreshed = Duration::from_millis(self.refreshed.load(Ordering::Acquire));
        !refreshed.is_zero() && self.started.elapsed().saturating_sub(refreshed) < BELIEVED_FOR
    }

    /// Whether a token's session has ended, or the user's tokens were called back since it was issued.
    pub fn is_revoked(&self, claims: &Claims) -> bool {
        let revoked = self.revoked.read().unwrap_or_else(PoisonError::into_inner);
        revoked.sessions.contains_key(&claims.sid)
            || revoked
                .users
                .get(&claims.sub)
                .is_some_and(|(min_token_version, _)| claims.ver < *min_token_version)
    }

    /// Takes an act of this instance into account before it is answered.
    pub fn apply(&self, new: &[Change], expires_at: DateTime<Utc>) {
        if new.is_empty() {
            return;
        }
        {
            let mut revoked = self.revoked.write().unwrap_or_else(PoisonError::into_inner);
            for change in new {
                match *change {
                    Change::SessionEnded { session_id, .. } => {
                        revoked.sessions.insert(session_id, expires_at);
                    }
                    Change::TokensRevoked {
                        user_id,
                        min_token_version,
                    } => {
                        let entry = revoked
                            .users
                            .entry(user_id)
                            .or_insert((min_token_version, expires_at));
                        *entry = (entry.0.max(min_token_version), entry.1.max(expires_at));
                    }
                    Change::TokensOutdated { .. }
                    | Change::PersonChanged { .. }
                    | Change::OrganizationChanged { .. } => {}
                }
            }
        }
        self.noted.fetch_add(1, Ordering::AcqRel);
        for change in new {
            match *change {
                Change::SessionEnded { user_id, .. }
                | Change::TokensRevoked { user_id, .. }
                | Change::TokensOutdated { user_id, .. }
                | Change::PersonChanged { user_id } => {
                    self.people.remove(&user_id);
                }
                // Rare, and cheaper than knowing who belongs to which organization.
                Change::OrganizationChanged { .. } => self.people.clear(),
            }
        }
    }

    /// Reads what was written since the last time, all of it the first time.
    ///
    /// # Errors
    /// When the database cannot be read; the maps stay as they were, and grow stale.
    pub async fn refresh(&self, store: &Database) -> Result<(), StoreError> {
        // The instant before the read: a change committed after it may have been missed.
        let asked = self.started.elapsed();
        let seen = self.last_seq.load(Ordering::Acquire);
        let new: Vec<RecordedChange> = store.read(move |tx| changes::list_after(tx, seen)).await?;
        for recorded in &new {
            self.apply(&[recorded.change], recorded.expires_at);
        }
        if let Some(last) = new.last() {
            self.last_seq.fetch_max(last.seq, Ordering::AcqRel);
        }
        let asked = u64::try_from(asked.as_millis()).unwrap_or(u64::MAX).max(1);
        self.refreshed.fetch_max(asked, Ordering::AcqRel);
        Ok(())
    }

    /// Forgets what concerns no living token any more, here and in the database.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn purge_expired(
        &self,
        store: &Database,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        store
            .maintain(move |tx| changes::delete_expired(tx, now))
            .await?;
        let mut revoked = self.revoked.write().unwrap_or_else(PoisonError::into_inner);
        revoked.sessions.retain(|_, expires_at| now < *expires_at);
        revoked.users.retain(|_, (_, expires_at)| now < *expires_at);
        Ok(())
    }

    /// A person, from memory when it may be believed, else from the database.
    ///
    /// # Errors
    /// When the database was needed and cannot be read.
    pub async fn person(
        &self,
        store: &Database,
        user_id: UserId,
    ) -> Result<Option<Arc<Person>>, StoreError> {
        if self.is_fresh()
            && let Some(person) = self.people.get(&user_id)
        {
            return Ok(Some(person));
        }
        self.read_person(store, user_id).await
    }

    /// A person as the database has them now, kept in memory while that may be believed.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn read_person(
        &self,
        store: &Database,
        user_id: UserId,
    ) -> Result<Option<Arc<Person>>, StoreError> {
        let noted = self.noted.load(Ordering::Acquire);
        let person = store
            .read(move |tx| {
                let Some(user) = users::find(tx, user_id)? else {
                    return Ok(None);
                };
                let memberships = memberships::list_of_user(tx, user_id)?;
                let mut shut = organizations::requiring_mfa_of(tx, user_id)?;
                if !shut.is_empty() && totp::is_enrolled(tx, user_id)? {
                    shut.clear();
                }
                let api_tokens = api_tokens::list_unrevoked_of(tx, user_id)?;
                Ok::<_, StoreError>(Some(Arc::new(Person {
                    user,
                    memberships,
                    shut,
                    api_tokens: api_tokens.into_iter().map(HeldApiToken::new).collect(),
                })))
            })
            .await?;
        if let Some(person) = &person {
            self.people.insert(user_id, Arc::clone(person));
            // A change noted meanwhile may be younger than what was read. `note` counts before it
            // removes, so either it removes this entry or the count tells.
            if self.noted.load(Ordering::Acquire) != noted {
                self.people.remove(&user_id);
            }
        }
        Ok(person)
    }
}

impl RevocationCache {
    /// Whose token has this hash, if it was seen here before.
    pub fn api_token_owner(&self, hash: &str) -> Option<UserId> {
        self.api_token_owners.get(hash)
    }

    pub fn remember_api_token(&self, hash: &str, owner: UserId) {
        self.api_token_owners.insert(hash.to_owned(), owner);
    }
}

impl Person {
    /// Their token with this hash, unless it was revoked.
    pub fn api_token(&self, hash: &str) -> Option<&HeldApiToken> {
        self.api_tokens.iter().find(|held| held.hash == hash)
    }

    /// Their place in an organization.
    pub fn membership(&self, id: OrganizationId) -> Option<&Membership> {
        self.memberships
            .iter()
            .find(|membership| membership.organization_id == id)
    }

    /// Whether an organization wants a second factor, which the person does not have.
    pub fn lacks_second_factor(&self, id: OrganizationId) -> bool {
        self.shut.contains(&id)
    }
}
