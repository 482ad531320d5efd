//! Account calls that work with tokens from e-mails: verify an address, reset a password, change an address, end a
//! session.

pub mod change_email;
pub mod end_session;
pub mod forgot_password;
mod mailed_token;
pub mod resend_verification;
pub mod reset_password;
mod some_address;
pub mod verify_email;
