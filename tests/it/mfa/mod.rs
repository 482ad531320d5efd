//! The second factor, from enrolment to everything that must not bypass it.

mod enrolment;
mod entry_points;
mod lost_secret;
mod oracle;
mod recovery;
mod required;
mod slack;
mod verify;
