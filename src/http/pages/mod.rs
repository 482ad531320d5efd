//! Pages for people: plain HTML, no script, nothing from other hosts.
//!
//! Opening a mailed link changes nothing, since mail scanners open it too: the page's button posts the link's token.
//! The token in the form is the proof and no cookie counts, so another site gains nothing by sending the form.

pub mod accept_invitation;
pub mod change_email;
pub mod end_session;
mod error_page;
mod link_page;
pub mod reset_password;
pub mod shell;
pub mod verify_email;
pub mod well_known;
