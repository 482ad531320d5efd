//! What every verb works with: the database, time, randomness, keys and rules.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, SubsecRound as _, Utc};

use crate::domain::{
    AllowedReturnUrl, JoinPolicy, Lifetimes, ReservedSlugs, Retention, SelfService,
};
use crate::ports::{Clock, Entropy, WebhookSender, random_bytes};
use crate::service::{
    Database, Error, LegacySessions, Limits, MailTransport, Passwords, Result, RevocationCache,
    Slack, Tokens,
};

/// What [`Services`] are made of.
pub struct ServicesParts {
    pub store: Database,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub tokens: Tokens,
    pub passwords: Passwords,
    pub limits: Limits,
    /// The join policy of a new organization.
    pub default_join_policy: JoinPolicy,
    pub self_service: Arc<SelfService>,
    /// Slugs that no organization can have.
    pub reserved_slugs: ReservedSlugs,
    /// Whether an account can sign in with its password only after its address was verified.
    pub require_verified_email: bool,
    /// How many live sessions a user may have.
    pub sessions_per_user: u32,
    /// How many users are kept in memory at most.
    pub people_cache_size: u32,
    /// How long tokens and sessions last; an organization may allow less.
    pub lifetimes: Lifetimes,
    /// How long is kept what has ended.
    pub retention: Retention,
    /// Where sign-ins may lead back to.
    pub return_urls: Vec<AllowedReturnUrl>,
    /// `None` if sign-in with Slack is not set up.
    pub slack: Option<Slack>,
    /// `None` if no mail server is set up; e-mails wait then.
    pub mail_transport: Option<MailTransport>,
    pub webhook_sender: Arc<dyn WebhookSender>,
    /// `None` if no earlier system's sessions are exchanged.
    pub legacy_sessions: Option<LegacySessions>,
}

/// Everything the verbs work with. Other modules call verbs and see no more of it.
pub struct Services {
    pub(in crate::service) store: Database,
    pub(in crate::service) clock: Arc<dyn Clock>,
    pub(in crate::service) entropy: Arc<dyn Entropy>,
    pub(in crate::service) tokens: Tokens,
    pub(in crate::service) passwords: Passwords,
    pub(in crate::service) revocations: Arc<RevocationCache>,
    pub(in crate::service) limits: Limits,
    pub(in crate::service) default_join_policy: JoinPolicy,
    pub(in crate::service) self_service: Arc<SelfService>,
    pub(in crate::service) reserved_slugs: Arc<ReservedSlugs>,
    pub(in crate::service) require_verified_email: bool,
    pub(in crate::service) sessions_per_user: u32,
    pub(in crate::service) lifetimes: Lifetimes,
    pub(in crate::service) retention: Retention,
    pub(in crate::service) return_urls: Vec<AllowedReturnUrl>,
    pub(in crate::service) slack: Option<Slack>,
    pub(in crate::service) mail_transport: Option<MailTransport>,
    pub(in crate::service) webhook_sender: Arc<dyn WebhookSender>,
    pub(in crate::service) legacy_sessions: Option<LegacySessions>,
    /// Set when this instance is asked to stop; from then on `/readyz` returns 503.
    stopping: AtomicBool,
}

impl Services {
    pub fn new(parts: ServicesParts) -> Self {
        Self {
            store: parts.store,
            clock: parts.clock,
            entropy: parts.entropy,
            tokens: parts.tokens,
            passwords: parts.passwords,
            revocations: Arc::new(RevocationCache::new(parts.people_cache_size as usize)),
            limits: parts.limits,
            default_join_policy: parts.default_join_policy,
            self_service: parts.self_service,
            reserved_slugs: Arc::new(parts.reserved_slugs),
            require_verified_email: parts.require_verified_email,
            sessions_per_user: parts.sessions_per_user,
            lifetimes: parts.lifetimes,
            retention: parts.retention,
            return_urls: parts.return_urls,
            slack: parts.slack,
            mail_transport: parts.mail_transport,
            webhook_sender: parts.webhook_sender,
            legacy_sessions: parts.legacy_sessions,
            stopping: AtomicBool::new(false),
        }
    }

    /// Now, to the microsecond that both databases keep.
    pub(in crate::service) fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(6)
    }

    pub(in crate::service) fn random<const N: usize>(&self) -> [u8; N] {
        random_bytes(self.entropy.as_ref())
    }

    pub(in crate::service) fn slack(&self) -> Result<&Slack> {
        self.slack.as_ref().ok_or(Error::SlackNotSetUp)
    }

    /// The minimum length of a new password, in characters.
    pub fn min_password_length(&self) -> usize {
        self.passwords.min_length()
    }

    /// What people may do without being asked.
    pub fn self_service(&self) -> &SelfService {
        &self.self_service
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub fn has_slack(&self) -> bool {
        self.slack.is_some()
    }

    /// Whether e-mails can be sent.
    pub fn has_mail_transport(&self) -> bool {
        self.mail_transport.is_some()
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// From now on `/readyz` returns 503, so that load balancers send no more requests.
    pub fn announce_stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.revocations.feed.stop();
    }
}
