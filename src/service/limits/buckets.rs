//! A bucket for each address and group of calls, in bounded memory.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Group;
use crate::domain::{AddressBlock, Allowance};

/// Locks that requests of different addresses share.
const SHARDS: usize = 64;

/// Entries in each. A hash table of 32,768 places grows beyond 7/8 of them.
const PER_SHARD: usize = 28_672;

/// When each bucket is full again, in microseconds since 1970; a bucket that is full needs no entry. Keys are hashes
/// under a random key: nobody can choose addresses that meet in one.
///
/// At most 1.8 million entries of 17 bytes in tables of twice their number: 36 MB.
pub struct Buckets {
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
    /// Takes one out of a bucket. Whose address is not known shares one with all others of that kind.
    pub fn draw(&self, group: Group, address: Option<AddressBlock>, now: i64) -> Allowance {
        let key = self.hasher.hash_one((group, address));
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

    /// Forgets what is full again, and gives the memory back.
    pub fn forget_full(&self, now: i64) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.retain(|_, full_at| *full_at > now);
            shard.shrink_to_fit();
        }
    }
}

/// Forgets what is full again. Where that is less than half, a million addresses are at work, against which no
/// counting by address helps: all of the shard is forgotten, lest every request look through it.
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

    /// Microseconds.
    const HOUR: i64 = 3_600_000_000;

    fn address(n: u32) -> Option<AddressBlock> {
        Some(IpAddr::V4(Ipv4Addr::from_bits(n)).into())
    }

    impl Buckets {
        fn len(&self) -> usize {
            self.shards.iter().map(|s| s.lock().unwrap().len()).sum()
        }

        /// Bytes: each place of a table holds an entry and a byte that tells what is in it.
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
    fn a_million_addresses_fit_into_64_megabytes_and_more_do_not_grow_it() {
        let buckets = Buckets::default();
        for n in 0..1_000_000 {
            buckets.draw(Group::General, address(n), HOUR);
        }
        assert_eq!(buckets.len(), 1_000_000);
        assert!(buckets.memory() < 64_000_000, "{}", buckets.memory());
        for n in 1_000_000..2_500_000 {
            buckets.draw(Group::General, address(n), HOUR);
        }
        assert!(buckets.len() <= SHARDS * PER_SHARD);
        assert!(buckets.memory() < 64_000_000, "{}", buckets.memory());
        buckets.forget_full(2 * HOUR);
        assert_eq!((buckets.len(), buckets.memory()), (0, 0));
    }

    #[test]
    fn who_is_still_owed_nothing_makes_room_first() {
        let buckets = Buckets::default();
        for n in 0..1_500_000 {
            buckets.draw(Group::General, address(n), 0);
        }
        let drained = address(u32::MAX);
        for _ in 0..Group::Mail.quota().count {
            assert!(buckets.draw(Group::Mail, drained, HOUR).is_granted);
        }
        for n in 0..1_000_000 {
            buckets.draw(Group::Login, address(n), HOUR);
        }
        assert!(!buckets.draw(Group::Mail, drained, HOUR).is_granted);
    }

    #[test]
    fn each_address_and_each_group_has_a_bucket_of_its_own() {
        let buckets = Buckets::default();
        let drain = |group: Group, address| {
            for _ in 0..group.quota().count {
                assert!(buckets.draw(group, address, HOUR).is_granted);
            }
            !buckets.draw(group, address, HOUR).is_granted
        };
        assert!(drain(Group::Mail, address(1)));
        assert!(drain(Group::Register, address(1)));
        assert!(drain(Group::Mail, address(2)));
        assert!(drain(Group::Mail, None));
    }
}
