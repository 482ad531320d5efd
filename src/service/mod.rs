//! Every rule that needs data or time, one verb (or pair) per file, in a folder for each subject.
//!
//! A verb writes in one [unit of work](unit_of_work), which checks the caller again and records the audit row and the
//! changes that other instances must learn of.

pub mod accounts;
pub mod api_tokens;
pub mod context;
pub mod error;
pub mod hashing;
pub mod invitations;
mod jitter;
pub mod join_links;
pub mod legacy_session;
pub mod limits;
pub mod mail;
pub mod mfa;
mod one_time;
pub mod operations;
pub mod organizations;
pub mod people;
pub mod revocations;
pub mod service_accounts;
mod services;
pub mod session_tokens;
pub mod sessions;
pub mod sign_in;
pub mod slack;
pub mod unit_of_work;
pub mod webhooks;

pub use accounts::account::{OwnAccount, account};
pub use accounts::change_email::change_email;
pub use accounts::change_password::{change_password, set_password};
pub use accounts::claim_account::{ClaimEffects, ClaimPreview, preview_claim};
pub use accounts::delete_account::delete_account;
pub use accounts::export_account::{ExportedFile, export_account, may_export_account};
pub use accounts::imported_passwords::{count_forms, count_unusable, wrap_weak};
pub use accounts::rehash::rehash_next;
pub use accounts::request_email_link::{forgot_password, resend_verification};
pub use accounts::reset_password::reset_password;
pub use accounts::undo::undo_by_link;
pub use accounts::update_profile::update_profile;
pub use accounts::verify_email::verify_email;
pub use api_tokens::end_with_sessions::Ending;
pub use api_tokens::{
    CreateApiToken, CreatedApiToken, create_api_token, list_api_tokens, revoke_api_token,
};
pub use context::{Browser, RequestContext};
pub use error::{Error, Result};
pub use hashing::passwords::Passwords;
pub use legacy_session::LegacySessions;
pub use limits::Limits;
pub use mail::MailTransport;
pub use operations::list_audit::list_audit;
pub use operations::readiness::{
    Readiness, hashing_load, mail_backlog, readiness, webhook_backlog,
};
pub use organizations::create::{CreateOrganization, create_organization};
pub use organizations::delete::delete_organization;
pub use organizations::join::{join_organization, join_organization_by_slug};
pub use organizations::list::list_organizations;
pub use organizations::read::read_organization;
pub use organizations::register::{
    RegisterOrganization, RegisteredOrganization, register_organization,
};
pub use organizations::register_into::{
    Joined, RegisterIntoOrganization, register_into_organization,
};
pub use organizations::update::{UpdateLifetimes, UpdateOrganization, update_organization};
pub use people::list_members::list_members;
pub use people::remove_member::remove_member;
pub use people::{
    Person, UpdatePerson, find_person, list_people, remove_person, unlock_person, update_person,
};
pub use service_accounts::authenticate::{ServiceCaller, authenticate_service};
pub use services::{Services, ServicesParts};
pub use sessions::authenticate::{authenticate, authenticate_to_enrol};
pub use sessions::cookie_session::{CookieSession, cookie_session};
pub use sessions::end_session::end_session;
pub use sessions::end_session_by_link::end_session_by_link;
pub use sessions::introspect::{ActiveToken, TokenKind, introspect};
pub use sessions::list_sessions::list_sessions;
pub use sessions::logout::{logout, logout_all};
pub use sessions::reauthenticate::{ReauthenticateWith, reauthenticate};
pub use sessions::refresh::refresh;
pub use sessions::revocation_cache::RevocationCache;
pub use sign_in::answer::{Profile, SignIn, SignedIn};
pub use sign_in::issuer::{ExternalIdClaim, Tokens};
pub use sign_in::password::{Login, login};
pub use sign_in::subject::Wanted;
pub use slack::Slack;
pub use unit_of_work::{Caller, Credential, Database, MemberCaller};
