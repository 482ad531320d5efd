//! Passwords for verbs: rules for new ones, and hashing that does not block the thread of a request.

use std::sync::Arc;

use bcrypt_lanes::Input;

use crate::crypto::password::{self, Making, StoredHash};
use crate::domain::{NewPasswordRules, Password};
use crate::ports::{Entropy, random_bytes};
use crate::service::hashing::strength_worker::StrengthWorker;
use crate::service::hashing::{Hashing, Load};
use crate::service::{Error, Result};

/// Stored hashes of a higher cost are refused, because computing one could block a thread for minutes.
const MAX_COST: u32 = 16;

/// The rules for passwords and the threads that apply them.
pub struct Passwords {
    rules: NewPasswordRules,
    cost: u32,
    /// Compared with for accounts without a password, so that it takes the same time.
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

    /// Parses and checks a new password; `user_inputs` are what an attacker would try first.
    ///
    /// # Errors
    /// `Invalid`, naming `field`; `Busy` when too many are waiting.
    pub(in crate::service) async fn read_new(
        &self,
        field: &'static str,
        text: &str,
        user_inputs: &[&str],
    ) -> Result<Password> {
        let password = self.read(field, text)?;
        let rules = self.rules;
        let user_inputs: Vec<String> = user_inputs.iter().map(|&word| word.to_owned()).collect();
        let (password, verdict) = self
            .judging
            .run(move || {
                let user_inputs: Vec<&str> = user_inputs.iter().map(String::as_str).collect();
                let verdict = rules.check(&password, &user_inputs);
                (password, verdict)
            })
            .await?;
        verdict.map_err(|refusal| refusal.of(field))?;
        Ok(password)
    }

    /// # Errors
    /// `Busy` when too many are waiting.
    pub(in crate::service) async fn hash(&self, password: Password) -> Result<StoredHash> {
        let (input, making) = self.making(&password)?;
        Ok(making.finish(&self.hashing.compute(input).await?))
    }

    fn making(&self, password: &Password) -> Result<(Input, Making)> {
        password::make(password, self.cost, random_bytes(self.entropy.as_ref()))
            .map_err(|error| Error::Internal(error.to_string()))
    }

    /// Compares with `stored`, or with the decoy if there is none: that takes as long and never succeeds.
    ///
    /// # Errors
    /// `Busy` when too many are waiting.
    pub(in crate::service) async fn verify(
        &self,
        password: Password,
        stored: Option<StoredHash>,
    ) -> Result<bool> {
        let check = password::check(&password, stored.as_ref().unwrap_or(&self.decoy), MAX_COST);
        let (input, check) = match check {
            Ok(check) => check,
            Err(error) => {
                tracing::error!(%error, "a stored password hash cannot be used; its owner must reset it");
                return Ok(false);
            }
        };
        let digest = self.hashing.compute(input).await?;
        Ok(check.matches(&digest) && stored.is_some())
    }

    /// The hash to store from now on, when the stored one is not what would be made today.
    pub(in crate::service) async fn rehash(
        &self,
        password: Password,
        stored: &StoredHash,
    ) -> Option<StoredHash> {
        if !password::needs_rehash(stored, self.cost) {
            return None;
        }
        let (input, making) = self.making(&password).ok()?;
        // Too busy now: the next sign-in will do it.
        let digest = self.hashing.compute_if_idle(input).await?;
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
