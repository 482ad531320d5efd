//! Pages for people: plain HTML, no script, nothing from other hosts.
//!
//! Opening a mailed link changes nothing, since mail scanners open it too: the page's button posts the link's token.
//! The token in the form is the proof and no cookie counts, so another site gains nothing by sending the form.

pub(super) mod accept_invitation;
pub(super) mod change_email;
pub(super) mod end_session;
mod error_page;
pub(super) mod join;
mod link_page;
pub(super) mod reset_password;
pub(super) mod shell;
pub(super) mod undo;
pub(super) mod verify_email;
pub(super) mod well_known;
