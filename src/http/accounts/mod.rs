//! Account calls: what the account is, its address, first password and identities, and those that work with tokens from
//! e-mails.

pub(super) mod account;
pub(super) mod change_email;
pub(super) mod delete_account;
pub(super) mod end_session;
pub(super) mod export_account;
pub(super) mod forgot_password;
mod mailed_token;
pub(super) mod resend_verification;
pub(super) mod reset_password;
pub(super) mod set_password;
mod some_address;
pub(super) mod undo;
pub(super) mod unlink_identity;
pub(super) mod verify_email;
