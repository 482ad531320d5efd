//! Permission to hash a password, or to rate a new one.

use crate::domain::{AddressBlock, Email, UserId};
use crate::service::hashing::share::Share;

/// Whose password it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::service) enum Whose {
    /// They have authenticated.
    User(UserId),
    /// They hold a link that was sent to them: a turn of its own, because another holder of the account's tokens must
    /// not keep its owner from setting a password. A link is used once, so it needs no bucket.
    LinkHolder(UserId),
    /// The address that a stranger typed, whether or not it has an account.
    Typed(Email),
}

/// One hash or a few in a row. Only [`permit_hashing`](super::permit_hashing()) makes one, so whatever hashes has been
/// counted.
#[derive(Debug)]
pub struct HashingPermit(Share);

impl HashingPermit {
    pub(super) fn new(whose: &Whose, address: Option<AddressBlock>) -> Self {
        Self(Share::of(whose, address))
    }

    /// The same for the owner of the account, at a place where they have signed in before: all others who type their
    /// address share another turn, so that strangers do not keep the owner waiting.
    #[must_use]
    pub(in crate::service) fn at_known_place(
        self,
        owner: UserId,
        address: Option<AddressBlock>,
    ) -> Self {
        Self(Share::of(("known place", owner), address))
    }

    #[cfg(test)]
    pub(in crate::service) fn for_tests(account: &str) -> Self {
        Self(Share::of(account, account))
    }

    pub(in crate::service) fn share(&self) -> Share {
        self.0
    }
}
