//! What every verb works with: the database, time, randomness, keys and rules.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, SubsecRound as _, Utc};

use crate::domain::{AllowedReturnUrl, JoinPolicy};
use crate::ports::{Clock, Entropy, random_bytes};
use crate::service::{
    Database, Error, Limits, MailTransport, Passwords, Result, RevocationCache, Slack, Tokens,
};

/// Everything the verbs work with.
pub struct Services {
    pub store: Database,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub tokens: Tokens,
    pub passwords: Passwords,
    pub revocations: Arc<RevocationCache>,
    pub limits: Limits,
    /// What a new organization starts with.
    pub default_join_policy: JoinPolicy,
    /// Whether a password opens an account only once its address was proved.
    pub require_verified_email: bool,
    /// Where sign-ins may lead back to.
    pub return_urls: Vec<AllowedReturnUrl>,
    /// Missing when sign-in with Slack is not set up.
    pub slack: Option<Slack>,
    /// Missing when nobody takes mail from us; letters wait then.
    pub mail_transport: Option<MailTransport>,
    /// Set when this instance is asked to stop; it asks for no more traffic from then on.
    pub stopping: AtomicBool,
}

impl Services {
    /// Now, to the microsecond that both databases keep.
    pub(in crate::service) fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(6)
    }

    pub(in crate::service) fn random<const N: usize>(&self) -> [u8; N] {
        random_bytes(self.entropy.as_ref())
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// From now on `/readyz` asks load balancers to look elsewhere.
    pub fn announce_stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    pub(in crate::service) fn slack(&self) -> Result<&Slack> {
        self.slack.as_ref().ok_or(Error::SlackNotSetUp)
    }
}
