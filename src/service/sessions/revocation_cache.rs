//! The revocation cache: revoked tokens and users in the memory of this instance.
//!
//! Every relevant change is a row of the `changes` table, written in the transaction that makes it. The instance that
//! makes it applies it here before it answers; the others read it within a second. Requests then need no query.

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

/// How often the table is read, even without a notification: half of the guaranteed second.
pub const POLL_EVERY: Duration = Duration::from_millis(500);

/// The cache is not used if it was not refreshed for this long.
const FRESH_FOR: Duration = Duration::from_secs(2);

/// The maximum number of cached users, about half a kilobyte each.
const PEOPLE: usize = 50_000;

/// The maximum number of API tokens whose creator is cached.
const API_TOKENS: usize = 50_000;

/// A user, their memberships, the first joined first, and the API tokens they created.
#[derive(Debug)]
pub struct Person {
    pub user: User,
    pub memberships: Vec<Membership>,
    /// Organizations that require a second factor, if the user has none.
    mfa_missing_in: Vec<OrganizationId>,
    pub api_tokens: Vec<HeldApiToken>,
}

/// An API token that is not revoked.
#[derive(Debug)]
pub struct HeldApiToken {
    pub token: ApiToken,
    hash: String,
    /// Seconds since 1970, zero before the first use. May be newer than in the database.
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

    /// Whether no known use was in the last `period`. Of concurrent calls, one returns true.
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

/// The maps, and the last change that they include.
pub struct RevocationCache {
    revoked: RwLock<Revoked>,
    people: Cache<UserId, Arc<Person>>,
    /// The creator of the token with each hash, which never changes.
    api_token_owners: Cache<String, UserId>,
    /// Counts the applied changes, so that a row read before one is not cached after it.
    applied: AtomicU64,
    last_seq: AtomicI64,
    started: Instant,
    /// Milliseconds after `started`; 0 before the first load.
    refreshed: AtomicU64,
}

/// Only entries that concern tokens that have not expired.
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
            applied: AtomicU64::new(0),
            last_seq: AtomicI64::new(0),
            started: Instant::now(),
            refreshed: AtomicU64::new(0),
        }
    }
}

impl RevocationCache {
    /// Whether the maps may be used without a query.
    pub fn is_fresh(&self) -> bool {
        let refreshed = Duration::from_millis(self.refreshed.load(Ordering::Acquire));
        !refreshed.is_zero() && self.started.elapsed().saturating_sub(refreshed) < FRESH_FOR
    }

    /// Whether a token's session has ended, or the user's tokens were revoked since it was issued.
    pub fn is_revoked(&self, claims: &Claims) -> bool {
        let revoked = self.revoked.read().unwrap_or_else(PoisonError::into_inner);
        revoked.sessions.contains_key(&claims.sid)
            || revoked
                .users
                .get(&claims.sub)
                .is_some_and(|(min_token_version, _)| claims.ver < *min_token_version)
    }

    /// Applies changes to the maps.
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
        self.applied.fetch_add(1, Ordering::AcqRel);
        for change in new {
            match *change {
                Change::SessionEnded { user_id, .. }
                | Change::TokensRevoked { user_id, .. }
                | Change::TokensOutdated { user_id, .. }
                | Change::PersonChanged { user_id } => {
                    self.people.remove(&user_id);
                }
                // This is rare, and simpler than tracking who belongs to which organization.
                Change::OrganizationChanged { .. } => self.people.clear(),
            }
        }
    }

    /// Reads the changes written since the last time, or all of them the first time.
    ///
    /// # Errors
    /// When the database cannot be read; the maps then stay as they are and become stale.
    pub async fn refresh(&self, store: &Database) -> Result<(), StoreError> {
        // The time before the read, because a change committed after it may be missing.
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

    /// Deletes changes that concern only expired tokens, here and in the database.
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

    /// A user, from the cache if it is fresh, otherwise from the database.
    ///
    /// # Errors
    /// When the database is needed and cannot be read.
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

    /// Reads a user from the database and caches them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn read_person(
        &self,
        store: &Database,
        user_id: UserId,
    ) -> Result<Option<Arc<Person>>, StoreError> {
        let applied = self.applied.load(Ordering::Acquire);
        let person = store
            .read(move |tx| {
                let Some(user) = users::find(tx, user_id)? else {
                    return Ok(None);
                };
                let memberships = memberships::list_of_user(tx, user_id)?;
                let mut mfa_missing_in = organizations::requiring_mfa_of(tx, user_id)?;
                if !mfa_missing_in.is_empty() && totp::is_enrolled(tx, user_id)? {
                    mfa_missing_in.clear();
                }
                let api_tokens = api_tokens::list_unrevoked_of(tx, user_id)?;
                Ok::<_, StoreError>(Some(Arc::new(Person {
                    user,
                    memberships,
                    mfa_missing_in,
                    api_tokens: api_tokens.into_iter().map(HeldApiToken::new).collect(),
                })))
            })
            .await?;
        if let Some(person) = &person {
            self.people.insert(user_id, Arc::clone(person));
            // A change applied meanwhile may be newer than what was read. `apply` counts before it removes, so either
            // it removes this entry or the count differs.
            if self.applied.load(Ordering::Acquire) != applied {
                self.people.remove(&user_id);
            }
        }
        Ok(person)
    }
}

impl RevocationCache {
    /// The creator of the token with this hash, if cached.
    pub fn api_token_owner(&self, hash: &str) -> Option<UserId> {
        self.api_token_owners.get(hash)
    }

    pub fn remember_api_token(&self, hash: &str, owner: UserId) {
        self.api_token_owners.insert(hash.to_owned(), owner);
    }
}

impl Person {
    /// Their token with this hash, unless it is revoked.
    pub fn api_token(&self, hash: &str) -> Option<&HeldApiToken> {
        self.api_tokens.iter().find(|held| held.hash == hash)
    }

    /// Their membership in an organization.
    pub fn membership(&self, id: OrganizationId) -> Option<&Membership> {
        self.memberships
            .iter()
            .find(|membership| membership.organization_id == id)
    }

    /// Whether an organization requires a second factor that the user does not have.
    pub fn lacks_second_factor(&self, id: OrganizationId) -> bool {
        self.mfa_missing_in.contains(&id)
    }
}
