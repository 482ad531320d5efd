//! External systems, one per file, each behind a trait of `ports`.

mod os_entropy;
pub mod slack;
pub mod smtp;
mod system_clock;
pub mod webhooks;

pub use os_entropy::OsEntropy;
pub use system_clock::SystemClock;
