//! Sign-in: authentication leads to a session, or to a challenge for the second factor.

pub mod answer;
pub mod challenge;
pub mod confirm_enrolment;
pub mod enrolment_subject;
pub mod entry;
pub mod issuer;
pub mod known_devices;
pub mod notice;
pub mod password;
mod redirect_target;
pub mod second_step;
pub mod start_enrolment;
pub mod subject;
pub mod token_session;
pub mod verify_second_factor;
