//! Accounts: tokens from letters for proofs of an address, a new password, another address, the end of a session.

pub mod change_email;
pub mod end_session;
pub mod forgot_password;
mod mailed_token;
pub mod resend_verification;
pub mod reset_password;
mod some_address;
pub mod verify_email;
