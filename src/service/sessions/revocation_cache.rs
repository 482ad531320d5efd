//! The revocation cache: revoked tokens and users in the memory of this instance.
//!
//! Every relevant change is a row of the `changes` table, written in the transaction that makes it. The instance that
//! makes it applies it here before it answers; the others read it within a second. Requests then need no query.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use quick_cache::sync::Cache;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::revoked::Revoked;
use crate::crypto::jwt::Claims;
use crate::domain::{
    ApiToken, Change, Membership, OrganizationId, OrganizationRules, User, UserId,
};
use crate::service::revocations::feed::RevocationFeed;
use crate::service::revocations::revocation::Revocation;
use crate::service::unit_of_work::Database;
use crate::store::feed::Position;
use crate::store::{Requester, StoreError, api_tokens, memberships, organizations, totp, users};

/// How often the table is read, even without a notification: a quarter of the guaranteed second.
pub const POLL_EVERY: Duration = Duration::from_millis(250);

/// The cache is not used if it was not refreshed for this long.
const FRESH_FOR: Duration = Duration::from_secs(2);

/// A user, their memberships, the first joined first, and the API tokens they created.
#[derive(Debug)]
pub struct Person {
    pub user: User,
    pub memberships: Vec<Membership>,
    pub has_second_factor: bool,
    pub api_tokens: Vec<HeldApiToken>,
}

/// A user, and the rules of the organization in which they act, if they act in one.
pub struct Known {
    pub person: Arc<Person>,
    pub rules: OrganizationRules,
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

/// What is revoked and who people are, and how far the feed was read.
pub struct RevocationCache {
    pub(super) tables: RwLock<Tables>,
    people: Cache<UserId, Arc<Person>>,
    /// Not part of the people, so that a change of one organization costs only its own members a query.
    organizations: Cache<OrganizationId, OrganizationRules>,
    /// The creator and the organization of the token with each hash, which never change.
    api_token_owners: Cache<String, (UserId, OrganizationId)>,
    applied: Applied,
    /// What other services follow.
    pub feed: RevocationFeed,
    pub(super) reader: Mutex<Reader>,
    pub(super) was_complete: AtomicBool,
    pub(super) started: Instant,
    /// Milliseconds after `started`; 0 while the cache is not complete.
    pub(super) refreshed: AtomicU64,
}

/// Counts the applied changes, so that a row read before one is not cached after it: [`RevocationCache::apply`] counts
/// before it removes, so either it removes a new entry or the count differs. Users and organizations share counters, too
/// many for the changes of one to keep the rows of others from being cached.
struct Applied([AtomicU64; 256]);

impl Applied {
    #[expect(clippy::indexing_slicing, reason = "there is one for each byte")]
    fn of(&self, id: Uuid) -> &AtomicU64 {
        let [.., last] = *id.as_bytes();
        &self.0[usize::from(last)]
    }

    fn to(&self, user_id: UserId, organization_id: Option<OrganizationId>) -> [u64; 2] {
        [user_id.0, organization_id.map_or(Uuid::nil(), |id| id.0)]
            .map(|id| self.of(id).load(Ordering::Acquire))
    }
}

/// How far the cache has read the feed.
#[derive(Default)]
pub(super) enum Reader {
    #[default]
    Nothing,
    /// Some pages of what the database holds. What is new is read from `start` on.
    Pages {
        start: Position,
        last: (DateTime<Utc>, i64),
    },
    Following {
        position: Position,
        /// The name of the position's history in cursors.
        history: String,
        read_at: DateTime<Utc>,
    },
}

#[derive(Default)]
pub(super) struct Tables {
    pub current: Revoked,
    /// What was read so far, while everything is read, and what this instance has changed meanwhile.
    pub loading: Option<Revoked>,
    pub is_standby: bool,
}

impl RevocationCache {
    /// Keeps at most `size` users, and as many organizations and API tokens.
    pub fn new(size: usize) -> Self {
        Self {
            tables: RwLock::default(),
            people: Cache::new(size),
            organizations: Cache::new(size),
            api_token_owners: Cache::new(size),
            applied: Applied([const { AtomicU64::new(0) }; 256]),
            feed: RevocationFeed::default(),
            reader: Mutex::default(),
            was_complete: AtomicBool::new(false),
            started: Instant::now(),
            refreshed: AtomicU64::new(0),
        }
    }

    /// Whether the cache may be used without a query.
    pub fn is_fresh(&self) -> bool {
        let refreshed = Duration::from_millis(self.refreshed.load(Ordering::Acquire));
        !refreshed.is_zero() && self.started.elapsed().saturating_sub(refreshed) < FRESH_FOR
    }

    /// Whether a token's session has ended, or the user's tokens were revoked since it was issued.
    pub fn is_revoked(&self, claims: &Claims) -> bool {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.current.contains(claims.sub, claims.sid, claims.ver)
    }

    /// Applies changes to the cache.
    pub fn apply(&self, new: &[Change], expires_at: DateTime<Utc>) {
        if new.is_empty() {
            return;
        }
        {
            let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
            for change in new {
                tables.current.apply(*change, expires_at);
                if let Some(loading) = &mut tables.loading {
                    loading.apply(*change, expires_at);
                }
            }
        }
        for change in new {
            match *change {
                Change::SessionEnded { user_id, .. }
                | Change::TokensRevoked { user_id, .. }
                | Change::TokensOutdated { user_id, .. }
                | Change::PersonChanged { user_id } => {
                    self.applied.of(user_id.0).fetch_add(1, Ordering::AcqRel);
                    self.people.remove(&user_id);
                }
                Change::OrganizationChanged {
                    organization_id: id,
                } => {
                    self.applied.of(id.0).fetch_add(1, Ordering::AcqRel);
                    self.organizations.remove(&id);
                }
            }
        }
    }

    /// The sessions that have ended, each by the last eight bytes of its id, in ascending order, and what else is revoked or
    /// outdated.
    pub fn snapshot(&self) -> (Vec<u64>, Vec<Revocation>) {
        let (mut marks, others) = {
            let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
            (tables.current.marks(), tables.current.others())
        };
        marks.sort_unstable();
        marks.dedup();
        (marks, others)
    }

    /// Forgets what concerns only expired tokens.
    pub fn forget_expired(&self, now: DateTime<Utc>) {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables.current.purge(now);
    }

    /// Forgets who people are.
    pub(super) fn clear_people(&self) {
        for count in &self.applied.0 {
            count.fetch_add(1, Ordering::AcqRel);
        }
        self.people.clear();
        self.organizations.clear();
        self.api_token_owners.clear();
    }

    /// A user who acts in this organization, or in none, from the cache if it is fresh, otherwise from the database.
    ///
    /// # Errors
    /// When the database is needed and cannot be read.
    pub async fn person(
        &self,
        store: &Database,
        requester: Requester,
        user_id: UserId,
        organization_id: Option<OrganizationId>,
    ) -> Result<Option<Known>, StoreError> {
        if self.is_fresh()
            && let Some(person) = self.people.get(&user_id)
        {
            let rules = self.rules(store, requester, organization_id).await?;
            return Ok(Some(Known { person, rules }));
        }
        self.read_person(store, requester, user_id, organization_id)
            .await
    }

    /// Reads a user from the database, and caches them and the rules of the organization.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn read_person(
        &self,
        store: &Database,
        requester: Requester,
        user_id: UserId,
        organization_id: Option<OrganizationId>,
    ) -> Result<Option<Known>, StoreError> {
        let applied = self.applied.to(user_id, organization_id);
        let found = store
            .look_up(requester, move |tx| {
                tx.ahead(|tx| {
                    let user = users::find(tx, user_id);
                    let memberships = memberships::list_of_user_with_rules(tx, user_id);
                    let tokens = api_tokens::list_unrevoked_of(tx, user_id);
                    (user, memberships, tokens, totp::is_enrolled(tx, user_id))
                });
                let Some(user) = users::find(tx, user_id)? else {
                    return Ok(None);
                };
                let memberships = memberships::list_of_user_with_rules(tx, user_id)?;
                let rules = memberships
                    .iter()
                    .find(|(membership, _)| Some(membership.organization_id) == organization_id)
                    .map(|(_, rules)| *rules);
                let memberships = memberships.into_iter().map(|(membership, _)| membership);
                let api_tokens = api_tokens::list_unrevoked_of(tx, user_id)?;
                let person = Arc::new(Person {
                    user,
                    memberships: memberships.collect(),
                    has_second_factor: totp::is_enrolled(tx, user_id)?,
                    api_tokens: api_tokens.into_iter().map(HeldApiToken::new).collect(),
                });
                Ok::<_, StoreError>(Some((person, rules)))
            })
            .await?;
        let Some((person, rules)) = found else {
            return Ok(None);
        };
        self.people.insert(user_id, Arc::clone(&person));
        if let (Some(id), Some(rules)) = (organization_id, rules) {
            self.organizations.insert(id, rules);
        }
        if self.applied.to(user_id, organization_id) != applied {
            self.people.remove(&user_id);
            if let Some(id) = organization_id {
                self.organizations.remove(&id);
            }
        }
        Ok(Some(Known {
            person,
            rules: rules.unwrap_or_default(),
        }))
    }

    /// The rules of an organization, or of none, from the cache if it is fresh, otherwise from the database.
    ///
    /// # Errors
    /// When the database is needed and cannot be read.
    pub async fn rules(
        &self,
        store: &Database,
        requester: Requester,
        organization_id: Option<OrganizationId>,
    ) -> Result<OrganizationRules, StoreError> {
        let Some(organization_id) = organization_id else {
            return Ok(OrganizationRules::default());
        };
        if self.is_fresh()
            && let Some(rules) = self.organizations.get(&organization_id)
        {
            return Ok(rules);
        }
        let count = self.applied.of(organization_id.0);
        let applied = count.load(Ordering::Acquire);
        let rules = store
            .read(requester, move |tx| {
                organizations::rules(tx, organization_id)
            })
            .await?;
        self.organizations.insert(organization_id, rules);
        if count.load(Ordering::Acquire) != applied {
            self.organizations.remove(&organization_id);
        }
        Ok(rules)
    }
}

impl RevocationCache {
    /// The creator and the organization of the token with this hash, if cached.
    pub fn api_token_owner(&self, hash: &str) -> Option<(UserId, OrganizationId)> {
        self.api_token_owners.get(hash)
    }

    pub fn remember_api_token(&self, hash: &str, token: &ApiToken) {
        let owner = (token.creator_id, token.organization_id);
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
}

impl Known {
    /// Whether the organization requires a second factor that the user does not have.
    pub fn lacks_second_factor(&self) -> bool {
        self.rules.requires_mfa && !self.person.has_second_factor
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PersonName;

    fn person(id: UserId) -> Arc<Person> {
        let user = User {
            id,
            ..User::new(
                DateTime::UNIX_EPOCH,
                [0; 10],
                None,
                PersonName::from_stored("Ada".to_owned()),
            )
        };
        Arc::new(Person {
            user,
            memberships: Vec::new(),
            has_second_factor: false,
            api_tokens: Vec::new(),
        })
    }

    #[test]
    fn a_changed_organization_costs_one_entry_and_no_person() {
        let cache = RevocationCache::new(1000);
        let organizations = [1, 2].map(|n| OrganizationId(Uuid::from_u128(n)));
        let people: Vec<UserId> = (0..100).map(|n| UserId(Uuid::from_u128(n))).collect();
        for id in organizations {
            cache.organizations.insert(id, OrganizationRules::default());
        }
        for id in &people {
            cache.people.insert(*id, person(*id));
        }
        let change = Change::OrganizationChanged {
            organization_id: organizations[0],
        };
        cache.apply(&[change], DateTime::UNIX_EPOCH);
        assert_eq!(cache.organizations.get(&organizations[0]), None);
        let kept = cache.organizations.get(&organizations[1]);
        assert_eq!(kept, Some(OrganizationRules::default()));
        assert!(people.iter().all(|id| cache.people.get(id).is_some()));
    }

    #[test]
    fn a_change_is_counted_for_its_own_user_or_organization() {
        let cache = RevocationCache::new(1000);
        let [changed, other] = [1, 2].map(Uuid::from_u128);
        let counts = |id| cache.applied.to(UserId(id), Some(OrganizationId(id)));
        let before = [changed, other].map(counts);
        let organization_id = OrganizationId(changed);
        let user_id = UserId(changed);
        for (n, change) in [
            Change::OrganizationChanged { organization_id },
            Change::PersonChanged { user_id },
        ]
        .into_iter()
        .enumerate()
        {
            cache.apply(&[change], DateTime::UNIX_EPOCH);
            let [changed, other] = [changed, other].map(counts);
            assert_eq!(other, before[1]);
            assert_eq!(changed, before[0].map(|count| count + 1 + n as u64));
        }
    }
}
