//! E-mails: queued in the transaction of their cause, sent by a worker.

mod backlog;
mod deliver;
pub mod gate;
pub mod links;
mod mail_transport;
mod retry;

pub use backlog::{Backlog, backlog};
pub use deliver::{claim, deliver, wait_until_queued};
pub use mail_transport::MailTransport;
