//! Whose a hash is: the account and the address that it is computed for.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::LazyLock;

/// Under a random key, so that no one can choose names that collide.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// An account and a client's address. Jobs of the same account, or from the same address, wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    account: u64,
    address: u64,
}

impl Share {
    pub fn of(account: impl Hash, address: impl Hash) -> Self {
        Self {
            account: HASHER.hash_one(("account", account)),
            address: HASHER.hash_one(("address", address)),
        }
    }

    /// Of what no request waits for: all of it together has the turn of one client.
    pub(super) fn background() -> Self {
        Self::of("background", "background")
    }

    pub(super) fn keys(self) -> [u64; 2] {
        [self.account, self.address]
    }

    pub(super) fn account(self) -> u64 {
        self.account
    }

    pub(super) fn address(self) -> u64 {
        self.address
    }
}
