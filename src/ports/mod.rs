//! Traits for everything outside the process, implemented in `adapters`.

pub mod mailer;
pub mod slack;
pub mod webhook_sender;

use chrono::{DateTime, Utc};

pub use mailer::Mailer;
pub use slack::SlackApi;
pub use webhook_sender::WebhookSender;

/// The wall clock. Domain rules take `now` as an argument; only services read the clock.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> DateTime<Utc>;
}

/// A source of cryptographically secure random bytes.
pub trait Entropy: Send + Sync + 'static {
    fn fill(&self, bytes: &mut [u8]);
}

/// `N` random bytes.
pub fn random_bytes<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}
