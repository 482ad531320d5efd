//! What belongs to an account whatever organization it is in: its name, addresses and password.

pub mod account;
pub mod change_email;
pub mod change_password;
pub mod claim_account;
pub mod delete_account;
pub mod email_proof;
pub mod export_account;
pub mod imported_passwords;
pub mod minimum_duration;
pub mod proven_password;
pub mod reauthenticate;
pub mod rehash;
pub mod request_email_link;
pub mod reset_password;
pub mod undo;
pub mod undo_link;
pub mod update_profile;
pub mod verify_credentials;
pub mod verify_email;
