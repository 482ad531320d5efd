//! Passwords for verbs: rules for new ones, and hashing that does not block the thread of a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bcrypt_lanes::Input;

use crate::crypto::password::{self, Check, Making, StoredHash};
use crate::domain::{NewPasswordRules, OwnWords, Password};
use crate::ports::{Entropy, random_bytes};
use crate::service::hashing::strength_worker::StrengthWorker;
use crate::service::hashing::{Hashing, Load};
use crate::service::limits::HashingPermit;
use crate::service::{Error, Result};

/// Stored hashes of a higher cost are refused, because computing one could block a thread for minutes.
const MAX_COST: u32 = 16;

/// How far stored hashes of a higher cost than the set one raise the cost of all comparisons, which hides them. Beyond
/// that a few imported hashes would make every sign-in too expensive.
const RAISED_BY: u32 = 2;

/// How many of a user's organizations are among the words that a new password may not be made of.
pub(in crate::service) const GUESSED_ORGANIZATIONS: i64 = 20;

/// The rules for passwords and the threads that apply them. Whatever is computed takes a permit, which says whose turn
/// it is.
pub struct Passwords {
    rules: NewPasswordRules,
    cost: u32,
    compared: ComparedCost,
    /// Compared with for accounts without a usable hash, so that it takes the same time.
    decoy: StoredHash,
    hashing: Hashing,
    judging: StrengthWorker,
    entropy: Arc<dyn Entropy>,
}

impl Passwords {
    pub fn new(
        rules: NewPasswordRules,
        cost: u32,
        hashing: Hashing,
        judging: StrengthWorker,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            rules,
            cost,
            compared: ComparedCost::new(cost),
            decoy: password::decoy(cost),
            hashing,
            judging,
            entropy,
        }
    }

    /// Parses a password that is to be verified.
    ///
    /// # Errors
    /// `Invalid`, naming `field`.
    pub(in crate::service) fn read(&self, field: &'static str, text: &str) -> Result<Password> {
        Password::parse(text).map_err(|refusal| refusal.of(field).into())
    }

    /// Parses and checks a new password.
    ///
    /// # Errors
    /// `Invalid`, naming `field`; `Busy` when too many are waiting.
    pub(in crate::service) async fn read_new(
        &self,
        permit: &HashingPermit,
        field: &'static str,
        text: &str,
        own: OwnWords,
    ) -> Result<Password> {
        let password = self.read(field, text)?;
        let rules = self.rules;
        let (password, verdict) = self
            .judging
            .run(permit.share(), move || {
                let verdict = rules.check(&password, &own);
                (password, verdict)
            })
            .await?;
        verdict.map_err(|refusal| refusal.of(field))?;
        Ok(password)
    }

    /// # Errors
    /// `Busy` when too many are waiting.
    pub(in crate::service) async fn hash(
        &self,
        permit: &HashingPermit,
        password: Password,
    ) -> Result<StoredHash> {
        let (input, making) = self.making(&password)?;
        let digest = self.hashing.compute(permit.share(), input).await?;
        Ok(making.finish(&digest))
    }

    fn making(&self, password: &Password) -> Result<(Input, Making)> {
        password::make(password, self.cost, random_bytes(self.entropy.as_ref()))
            .map_err(|error| Error::Internal(error.to_string()))
    }

    /// Compares with `stored`. As much is computed whatever its cost and form, and if there is none.
    ///
    /// # Errors
    /// `Busy` when too many are waiting.
    pub(in crate::service) async fn verify(
        &self,
        permit: &HashingPermit,
        password: Password,
        stored: Option<StoredHash>,
    ) -> Result<bool> {
        let (input, check) = self.comparison(&password, stored.as_ref())?;
        let digest = self.hashing.compute(permit.share(), input).await?;
        Ok(check.is_some_and(|check| check.matches(&digest)))
    }

    /// What to compute, and what to compare with it: nothing where no password is right.
    fn comparison(
        &self,
        password: &Password,
        stored: Option<&StoredHash>,
    ) -> Result<(Input, Option<Check>)> {
        let check = |hash| password::check(password, hash, MAX_COST);
        let usable = stored.and_then(|stored| match check(stored) {
            Ok((input, check)) => Some((input, Some(check))),
            Err(error) => {
                tracing::error!(%error, "a stored password hash cannot be used; its owner must reset it");
                None
            }
        });
        let decoy = || check(&self.decoy).map(|(input, _)| (input, None));
        let (input, check) = usable
            .map_or_else(decoy, Ok)
            .map_err(|error| Error::Internal(error.to_string()))?;
        let cost = self.compared.with(input.cost());
        Ok((input.padded_to(cost), check))
    }

    /// The hash to store from now on, when the stored one is not what would be made today.
    pub(in crate::service) async fn rehash(
        &self,
        permit: &HashingPermit,
        password: Password,
        stored: &StoredHash,
    ) -> Option<StoredHash> {
        if !password::needs_rehash(stored, self.cost) {
            return None;
        }
        let (input, making) = self.making(&password).ok()?;
        // Too busy now: the next sign-in will do it.
        let digest = self.hashing.compute_if_idle(permit.share(), input).await?;
        Some(making.finish(&digest))
    }

    /// The minimum length of a new password, in characters.
    pub(in crate::service) fn min_length(&self) -> usize {
        self.rules.min_length
    }

    pub(in crate::service) fn load(&self) -> Load {
        self.hashing.load()
    }
}

/// The cost that every comparison takes: the set one, or the highest of the stored hashes compared since the start,
/// within [`RAISED_BY`] of it.
struct ComparedCost {
    set: u32,
    highest: AtomicU32,
}

impl ComparedCost {
    fn new(set: u32) -> Self {
        Self {
            set,
            highest: AtomicU32::new(set),
        }
    }

    /// The cost from now on, after a hash of this cost was found.
    fn with(&self, found: u32) -> u32 {
        let found = found.min(self.set + RAISED_BY);
        self.highest.fetch_max(found, Ordering::Relaxed).max(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct NoEntropy;

    impl Entropy for NoEntropy {
        fn fill(&self, _: &mut [u8]) {}
    }

    const RIGHT: &str = "correct horse battery staple";

    fn passwords(cost: u32) -> Passwords {
        Passwords::new(
            NewPasswordRules {
                min_length: 8,
                min_guesses: 1_000_000,
            },
            cost,
            Hashing::start(Some(1)).unwrap(),
            StrengthWorker::start().unwrap(),
            Arc::new(NoEntropy),
        )
    }

    fn stored(password: &str, cost: u32) -> StoredHash {
        let password = Password::parse(password).unwrap();
        let (input, making) = password::make(&password, cost, [7; 16]).unwrap();
        making.finish(&bcrypt_lanes::bcrypt(&input))
    }

    /// What a comparison with each stored form computes.
    fn iterations(passwords: &Passwords, stored: &[Option<StoredHash>]) -> Vec<u32> {
        let wrong = Password::parse("wrong horse battery staple").unwrap();
        stored
            .iter()
            .map(|stored| {
                let (input, _) = passwords.comparison(&wrong, stored.as_ref()).unwrap();
                input.iterations()
            })
            .collect()
    }

    #[test]
    fn a_comparison_computes_as_much_whatever_is_stored() {
        let unusable = |hash: &str| Some(StoredHash::from_stored(hash.to_owned()));
        let forms = [
            None,
            Some(stored(RIGHT, 8)),
            Some(stored(RIGHT, 6)),
            Some(stored(RIGHT, 4)),
            Some(stored(&RIGHT.repeat(3), 8)),
            Some(stored(&RIGHT.repeat(3), 5)),
            unusable("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA"),
            unusable(""),
            unusable("$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        ];
        assert_eq!(iterations(&passwords(8), &forms), [1 << 8; 9]);
    }

    #[test]
    fn a_hash_above_the_set_cost_raises_all_comparisons_up_to_a_limit() {
        let passwords = passwords(4);
        let forms = [None, Some(stored(RIGHT, 5)), None, Some(stored(RIGHT, 4))];
        assert_eq!(
            iterations(&passwords, &forms),
            [1 << 4, 1 << 5, 1 << 5, 1 << 5]
        );
        let forms = [Some(stored(RIGHT, 8)), None];
        assert_eq!(iterations(&passwords, &forms), [1 << 8, 1 << 6]);
    }
}
