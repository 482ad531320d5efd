//! A bucket for each key and group of calls, in bounded memory.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::Allowance;
use crate::service::limits::{Group, Key};

/// Locks that requests of different addresses share.
const SHARDS: usize = 64;

/// Entries in each. A hash table of 32,768 slots grows when more than 7/8 are used.
const PER_SHARD: usize = 28_672;

/// When each bucket is full again, in microseconds since 1970; a full bucket needs no entry. Keys are hashes under a
/// random key, so that no one can choose keys that collide.
///
/// At most 1.8 million entries of 17 bytes in tables of twice their number: 36 MB.
pub(super) struct Buckets {
    shards: [Mutex<HashMap<u64, i64>>; SHARDS],
    hasher: RandomState,
}

impl Default for Buckets {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
        }
    }
}

impl Buckets {
    /// Takes one out of a bucket.
    pub(super) fn try_acquire(&self, group: Group, key: Key, now: i64) -> Allowance {
        let key = self.hasher.hash_one((group, key));
        let mut shard = self.shard(key);
        if shard.len() >= PER_SHARD {
            make_room(&mut shard, now);
        }
        let full_at = shard.entry(key).or_insert(now);
        let allowance;
        (*full_at, allowance) = group.quota().draw(*full_at, now);
        allowance
    }

    fn shard(&self, key: u64) -> MutexGuard<'_, HashMap<u64, i64>> {
        let at = usize::try_from(key).unwrap_or_default() % SHARDS;
        #[expect(clippy::indexing_slicing, reason = "the remainder is below the length")]
        let shard = &self.shards[at];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes buckets that are full again, and frees their memory.
    pub(super) fn remove_full(&self, now: i64) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.retain(|_, full_at| *full_at > now);
            shard.shrink_to_fit();
        }
    }
}

/// Removes buckets that are full again. If more than half of them remain, a million keys are in use, and counting
/// by key does not help: the whole shard is cleared, so that not every request has to search it.
fn make_room(shard: &mut HashMap<u64, i64>, now: i64) {
    shard.retain(|_, full_at| *full_at > now);
    if shard.len() > PER_SHARD / 2 {
        shard.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::domain::UserId;

    /// Microseconds.
    const HOUR: i64 = 3_600_000_000;

    fn address(n: u32) -> Key {
        Key::Address(Some(IpAddr::V4(Ipv4Addr::from_bits(n)).into()))
    }

    impl Buckets {
        fn len(&self) -> usize {
            self.shards.iter().map(|s| s.lock().unwrap().len()).sum()
        }

        /// In bytes: each slot of a table holds an entry and a control byte.
        fn memory(&self) -> usize {
            let places: usize = self
                .shards
                .iter()
                .map(|shard| (shard.lock().unwrap().capacity() * 8).div_ceil(7))
                .sum();
            places * (size_of::<(u64, i64)>() + 1)
        }
    }

    #[test]
    fn a_million_addresses_fit_into_64_megabytes() {
        let buckets = Buckets::default();
        for n in 0..1_000_000 {
            buckets.try_acquire(Group::General, address(n), HOUR);
        }
        assert_eq!(buckets.len(), 1_000_000);
        assert!(buckets.memory() < 64_000_000, "{}", buckets.memory());
        buckets.remove_full(2 * HOUR);
        assert_eq!((buckets.len(), buckets.memory()), (0, 0));
    }

    #[test]
    fn a_shard_never_grows_beyond_its_capacity() {
        let buckets = Buckets::default();
        let at_work = (0..).map(|n| (n, 2 * HOUR)).take(PER_SHARD);
        buckets.shards[0].lock().unwrap().extend(at_work);
        let of_one = buckets.memory();
        assert!(of_one * SHARDS < 64_000_000, "{of_one}");
        for n in 0..1_000 {
            buckets.try_acquire(Group::General, address(n), HOUR);
        }
        let shard = buckets.shards[0].lock().unwrap();
        assert!(shard.len() < 1_000 && shard.capacity() <= PER_SHARD);
    }

    #[test]
    fn full_buckets_are_removed_to_make_room_and_others_stay() {
        let mut shard: HashMap<u64, i64> = (1_000..).map(|n| (n, HOUR)).take(PER_SHARD).collect();
        for n in 0..100 {
            shard.insert(n, HOUR + 1);
        }
        make_room(&mut shard, HOUR);
        assert_eq!(shard.len(), 100);
        assert!((0..100).all(|n| shard.contains_key(&n)));
    }

    #[test]
    fn a_shard_whose_buckets_are_all_in_use_is_cleared() {
        let mut shard: HashMap<u64, i64> = (0..).map(|n| (n, HOUR + 1)).take(PER_SHARD).collect();
        make_room(&mut shard, HOUR);
        assert!(shard.is_empty());
    }

    #[test]
    fn each_key_and_each_group_has_a_bucket_of_its_own() {
        let buckets = Buckets::default();
        let drain = |group: Group, key| {
            for _ in 0..group.quota().count {
                assert!(buckets.try_acquire(group, key, HOUR).is_granted);
            }
            !buckets.try_acquire(group, key, HOUR).is_granted
        };
        assert!(drain(Group::Mail, address(1)));
        assert!(drain(Group::Register, address(1)));
        assert!(drain(Group::Mail, address(2)));
        assert!(drain(Group::Mail, Key::Address(None)));
        assert!(drain(Group::Mail, Key::Account(UserId::NIL)));
    }
}
