//! Pages for people: plain HTML, no script, nothing from elsewhere.
//!
//! Opening a link from a letter changes nothing, whoever fetches it: a page's button posts what the link brought.
//! The token in the form is the proof and no cookie counts, so another site gains nothing by sending the form.

pub mod accept_invitation;
pub mod change_email;
pub mod end_session;
mod link;
pub mod reset_password;
pub mod shell;
mod trouble;
pub mod verify_email;
pub mod well_known;
