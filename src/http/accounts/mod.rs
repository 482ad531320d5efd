//! Account calls that work with tokens from e-mails: verify an address, reset a password, change an address, end a
//! session, undo a change.

pub(super) mod change_email;
pub(super) mod delete_account;
pub(super) mod end_session;
pub(super) mod forgot_password;
mod mailed_token;
pub(super) mod resend_verification;
pub(super) mod reset_password;
mod some_address;
pub(super) mod undo;
pub(super) mod verify_email;
