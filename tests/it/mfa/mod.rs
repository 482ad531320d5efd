//! The second factor, from enrolment to everything that must not get round it.

mod doors;
mod enrolment;
mod oracle;
mod recovery;
mod required;
mod slack;
mod verify;
