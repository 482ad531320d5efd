//! A bucket for each address and group of calls, in bounded memory.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::{AddressBlock, Allowance};
use crate::service::limits::Group;

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
    fn a_million_addresses_fit_into_64_megabytes() {
        let buckets = Buckets::default();
        for n in 0..1_000_000 {
            buckets.draw(Group::General, address(n), HOUR);
        }
        assert_eq!(buckets.len(), 1_000_000);
        assert!(buckets.memory() < 64_000_000, "{}", buckets.memory());
        buckets.forget_full(2 * HOUR);
        assert_eq!((buckets.len(), buckets.memory()), (0, 0));
    }

    #[test]
    fn no_number_of_addresses_makes_a_shard_grow() {
        let buckets = Buckets::default();
        let at_work = (0..).map(|n| (n, 2 * HOUR)).take(PER_SHARD);
        buckets.shards[0].lock().unwrap().extend(at_work);
        let of_one = buckets.memory();
        assert!(of_one * SHARDS < 64_000_000, "{of_one}");
        for n in 0..1_000 {
            buckets.draw(Group::General, address(n), HOUR);
        }
        let shard = buckets.shards[0].lock().unwrap();
        assert!(shard.len() < 1_000 && shard.capacity() <= PER_SHARD);
    }

    #[test]
    fn what_is_full_again_makes_room_and_what_is_not_stays() {
        let mut shard: HashMap<u64, i64> = (1_000..).map(|n| (n, HOUR)).take(PER_SHARD).collect();
        for n in 0..100 {
            shard.insert(n, HOUR + 1);
        }
        make_room(&mut shard, HOUR);
        assert_eq!(shard.len(), 100);
        assert!((0..100).all(|n| shard.contains_key(&n)));
    }

    #[test]
    fn where_all_are_at_work_all_are_forgotten() {
        let mut shard: HashMap<u64, i64> = (0..).map(|n| (n, HOUR + 1)).take(PER_SHARD).collect();
        make_room(&mut shard, HOUR);
        assert!(shard.is_empty());
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
