//! The sessions that have ended and the users whose tokens are revoked, in little memory.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use hashbrown::HashTable;

use crate::domain::{Change, SessionId, UserId};
use crate::service::revocations::revocation::Revocation;

const DAY: i64 = 24 * 60 * 60;

/// While a table grows, its old and its new memory are both in use: this many tables a day, and one of them at a time.
const TABLES: usize = 16;

/// Only entries that concern tokens that have not expired.
#[derive(Default)]
pub(super) struct Revoked {
    /// By the day on which the tokens expire, so that no entry has to hold a time.
    days: BTreeMap<i64, Day>,
    users: HashMap<UserId, (i32, DateTime<Utc>)>,
    /// Whose tokens are outdated, which counts elsewhere only: here, roles and memberships are looked up.
    outdated: HashMap<UserId, (i32, DateTime<Utc>)>,
}

#[derive(Default)]
struct Day([HashTable<Mark>; TABLES]);

/// The random half of a session's id (RFC 9562, section 5.7). Of ten million entries and 10^12 tokens, one is taken for
/// another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark(u64);

impl Mark {
    fn of(id: SessionId) -> Self {
        Self(id.0.as_u64_pair().1)
    }

    /// The variant makes the first bits equal, and the table looks at the first and at the last.
    fn hash(&self) -> u64 {
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

impl std::fmt::Display for Mark {
    /// As the end of the session's id.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = format!("{:016x}", self.0);
        let (variant, node) = digits.split_at(4);
        write!(f, "{variant}-{node}")
    }
}

impl Day {
    #[expect(clippy::indexing_slicing, reason = "there is one for each remainder")]
    fn table(&self, mark: Mark) -> &HashTable<Mark> {
        &self.0[(mark.0 >> 32) as usize % TABLES]
    }

    #[expect(clippy::indexing_slicing, reason = "there is one for each remainder")]
    fn insert(&mut self, mark: Mark) {
        let table = &mut self.0[(mark.0 >> 32) as usize % TABLES];
        let entry = table.entry(mark.hash(), |other| *other == mark, Mark::hash);
        entry.or_insert(mark);
    }

    fn contains(&self, mark: Mark) -> bool {
        let found = self.table(mark).find(mark.hash(), |other| *other == mark);
        found.is_some()
    }

    fn iter(&self) -> impl Iterator<Item = Mark> {
        self.0.iter().flatten().copied()
    }
}

/// What the database no longer has of what was known.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lost {
    pub sessions: Vec<Mark>,
    pub users: Vec<UserId>,
}

/// The higher version of a user counts, until the later time.
fn raise(
    users: &mut HashMap<UserId, (i32, DateTime<Utc>)>,
    user_id: UserId,
    (min, expires_at): (i32, DateTime<Utc>),
) {
    let entry = users.entry(user_id).or_insert((min, expires_at));
    *entry = (entry.0.max(min), entry.1.max(expires_at));
}

impl Revoked {
    pub(super) fn apply(&mut self, change: Change, expires_at: DateTime<Utc>) {
        match change {
            Change::SessionEnded { session_id, .. } => {
                let day = expires_at.timestamp().div_euclid(DAY);
                self.days
                    .entry(day)
                    .or_default()
                    .insert(Mark::of(session_id));
            }
            Change::TokensRevoked {
                user_id,
                min_token_version,
            } => {
                raise(&mut self.users, user_id, (min_token_version, expires_at));
            }
            Change::TokensOutdated { user_id, min_pv } => {
                raise(&mut self.outdated, user_id, (min_pv, expires_at));
            }
            Change::PersonChanged { .. } | Change::OrganizationChanged { .. } => {}
        }
    }

    /// Whether a session has ended, or tokens of the user with this version are revoked.
    pub(super) fn contains(
        &self,
        user_id: UserId,
        session_id: SessionId,
        token_version: i32,
    ) -> bool {
        let mark = Mark::of(session_id);
        self.days.values().any(|day| day.contains(mark))
            || self
                .users
                .get(&user_id)
                .is_some_and(|(min_token_version, _)| token_version < *min_token_version)
    }

    /// Drops what concerns only expired tokens: sessions by whole days.
    pub(super) fn purge(&mut self, now: DateTime<Utc>) {
        self.days.retain(|day, _| now.timestamp() < (day + 1) * DAY);
        self.users.retain(|_, (_, expires_at)| now < *expires_at);
        self.outdated.retain(|_, (_, expires_at)| now < *expires_at);
    }

    /// The marks of all sessions, in any order.
    pub(super) fn marks(&self) -> Vec<u64> {
        let mut marks = Vec::with_capacity(self.len());
        marks.extend(self.days.values().flat_map(Day::iter).map(|mark| mark.0));
        marks
    }

    /// What is revoked or outdated besides sessions.
    pub(super) fn others(&self) -> Vec<Revocation> {
        let revoked = self.users.iter().map(|(sub, (ver, _))| Revocation::Tokens {
            sub: *sub,
            ver: *ver,
        });
        let outdated = self.outdated.iter();
        let outdated = outdated.map(|(sub, (pv, _))| Revocation::Outdated { sub: *sub, pv: *pv });
        revoked.chain(outdated).collect()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        let tables = self.days.values().flat_map(|day| &day.0);
        tables.map(HashTable::len).sum::<usize>() + self.users.len()
    }

    /// Replaces it with what the database has. Sessions that have ended stay so; what a user's tokens need must be what
    /// the database says, because it issues the next ones. Returns what the database has lost.
    pub(super) fn replace(&mut self, read: Self, now: DateTime<Utc>) -> Lost {
        let known = std::mem::replace(self, read);
        let mut lost = Lost::default();
        for (number, day) in &known.days {
            // Of the days until today, the database may have deleted what has expired.
            if now.timestamp() < number * DAY {
                let read = self.days.get(number);
                let missing = |mark: &Mark| !read.is_some_and(|read| read.contains(*mark));
                lost.sessions.extend(day.iter().filter(missing));
            }
        }
        for (number, day) in known.days {
            let kept = self.days.entry(number).or_default();
            day.iter().for_each(|mark| kept.insert(mark));
        }
        for (user_id, (min, expires_at)) in known.users {
            let read = self.users.get(&user_id);
            if now < expires_at && read.is_none_or(|(read, _)| *read < min) {
                lost.users.push(user_id);
            }
        }
        lost.sessions.sort_unstable();
        lost.users.sort_unstable();
        lost
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;

    fn ended(n: u64) -> Change {
        Change::SessionEnded {
            user_id: UserId(Uuid::nil()),
            session_id: session(n),
        }
    }

    fn session(n: u64) -> SessionId {
        SessionId(Uuid::from_u64_pair(0, n))
    }

    fn revoked(min_token_version: i32) -> Change {
        Change::TokensRevoked {
            user_id: UserId(Uuid::max()),
            min_token_version,
        }
    }

    fn at(days: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(days)
    }

    fn of(changes: &[(Change, i64)]) -> Revoked {
        let mut table = Revoked::default();
        for (change, day) in changes {
            table.apply(*change, at(*day));
        }
        table
    }

    #[test]
    fn a_session_is_revoked_until_its_day_has_passed() {
        let mut table = of(&[(ended(1), 5), (ended(2), 6)]);
        table.apply(ended(1), at(5));
        assert_eq!(table.len(), 2);
        for (now, both) in [
            (0, [true, true]),
            (5, [true, true]),
            (6, [false, true]),
            (7, [false, false]),
        ] {
            table.purge(at(now));
            let found = [1, 2].map(|n| table.contains(UserId(Uuid::nil()), session(n), 0));
            assert_eq!(found, both, "day {now}");
        }
        assert_eq!(table.len(), 0);
    }

    #[test]
    fn lower_versions_of_a_user_are_revoked_until_they_expire() {
        let mut table = of(&[(revoked(3), 5), (revoked(2), 6)]);
        let is_revoked =
            |table: &Revoked, version| table.contains(UserId(Uuid::max()), session(9), version);
        table.purge(at(5));
        assert!(is_revoked(&table, 2) && !is_revoked(&table, 3));
        table.purge(at(6));
        assert!(!is_revoked(&table, 0));
    }

    #[test]
    fn a_replacement_says_what_the_database_has_lost() {
        let mut table = of(&[(ended(1), 5), (ended(2), 5), (ended(3), 1), (revoked(3), 5)]);
        let read = of(&[(ended(1), 5), (ended(4), 5), (revoked(2), 5)]);
        let lost = table.replace(read, at(1));
        assert_eq!(lost.sessions, [Mark(2)]);
        assert_eq!(lost.users, [UserId(Uuid::max())]);
        // It may have been deleted, since it expires today.
        let is_ended = |n| table.contains(UserId(Uuid::nil()), session(n), 0);
        assert_eq!([1, 2, 3, 4].map(is_ended), [true; 4]);
        // The database gives out tokens with this version.
        assert!(!table.contains(UserId(Uuid::max()), session(9), 2));
        assert!(table.contains(UserId(Uuid::max()), session(9), 1));
    }

    #[test]
    fn a_lost_session_is_named_by_the_end_of_its_id() {
        let id: Uuid = "0192f0c1-2345-7abc-8def-0123456789ab".parse().unwrap();
        assert_eq!(Mark::of(SessionId(id)).to_string(), "8def-0123456789ab");
    }

    #[test]
    fn a_million_take_at_most_twenty_bytes_each() {
        let mut table = Revoked::default();
        let mut random = 1_u64;
        for n in 0..1_000_000 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            table.apply(ended(random ^ (random >> 32)), at(n % 7));
        }
        let tables = table.days.values().flat_map(|day| &day.0);
        let bytes: usize = tables.map(HashTable::allocation_size).sum();
        assert!(
            bytes < 20 * table.len(),
            "{bytes} bytes for {}",
            table.len()
        );
    }
}
