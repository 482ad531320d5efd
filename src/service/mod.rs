//! Every rule that needs data or time, one verb (or pair) per file, in a folder for each subject.
//!
//! A verb writes in one [unit of work](unit_of_work), which judges the caller again, and takes the audit row and the
//! changes that other instances must hear of.

pub mod accounts;
pub mod api_tokens;
pub mod context;
pub mod error;
pub mod hashing;
pub mod invitations;
pub mod limits;
pub mod mail;
pub mod mfa;
mod one_time;
pub mod operations;
pub mod organizations;
pub mod people;
pub mod session_tokens;
pub mod sessions;
pub mod sign_in;
pub mod slack;
pub mod unit_of_work;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, SubsecRound as _, Utc};

use crate::domain::{AllowedReturnUrl, JoinPolicy};
use crate::ports::{Clock, Entropy, random_bytes};

pub use accounts::change_email::change_email;
pub use accounts::change_password::change_password;
pub use accounts::request_email_link::{forgot_password, resend_verification};
pub use accounts::reset_password::reset_password;
pub use accounts::update_profile::update_profile;
pub use accounts::verify_email::verify_email;
pub use api_tokens::{
    CreateApiToken, CreatedApiToken, create_api_token, list_api_tokens, revoke_api_token,
};
pub use context::RequestContext;
pub use error::{Error, Result};
pub use hashing::passwords::Passwords;
pub use limits::Limits;
pub use mail::MailTransport;
pub use operations::list_audit::list_audit;
pub use operations::readiness::{Readiness, hashing_load, mail_backlog, readiness};
pub use organizations::join::join_organization;
pub use organizations::read::read_organization;
pub use organizations::register::{
    RegisterOrganization, RegisteredOrganization, register_organization,
};
pub use organizations::register_into::{
    Joined, RegisterIntoOrganization, register_into_organization,
};
pub use organizations::update::{UpdateOrganization, update_organization};
pub use people::list_members::list_members;
pub use people::remove_member::remove_member;
pub use people::{Person, UpdatePerson, find_person, list_people, remove_person, update_person};
pub use sessions::authenticate::{authenticate, authenticate_to_enrol};
pub use sessions::cookie_session::{CookieSession, cookie_session};
pub use sessions::end_session::end_session;
pub use sessions::end_session_by_link::end_session_by_link;
pub use sessions::list_sessions::list_sessions;
pub use sessions::logout::{logout, logout_all};
pub use sessions::refresh::refresh;
pub use sessions::revocation_cache::RevocationCache;
pub use sign_in::issuer::Tokens;
pub use sign_in::password::{Login, login};
pub use sign_in::{Profile, SignIn, SignedIn};
pub use slack::Slack;
pub use unit_of_work::{Caller, Credential, Database};

/// Everything the verbs work with.
pub struct Services {
    pub store: Database,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub tokens: Tokens,
    pub passwords: Passwords,
    pub revocations: Arc<RevocationCache>,
    pub limits: Limits,
    /// What a new organization starts with.
    pub default_join_policy: JoinPolicy,
    /// Whether a password opens an account only once its address was proved.
    pub require_verified_email: bool,
    /// Where sign-ins may lead back to.
    pub return_urls: Vec<AllowedReturnUrl>,
    /// Missing when sign-in with Slack is not set up.
    pub slack: Option<Slack>,
    /// Missing when nobody takes mail from us; letters wait then.
    pub mail_transport: Option<MailTransport>,
    /// Set when this instance is asked to stop; it asks for no more traffic from then on.
    pub stopping: AtomicBool,
}

impl Services {
    /// Now, to the microsecond that both databases keep.
    fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(6)
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        random_bytes(self.entropy.as_ref())
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// From now on `/readyz` asks load balancers to look elsewhere.
    pub fn announce_stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }
}
