//! Every rule that needs data or time, one verb (or pair) per file.
//!
//! A verb reads the clock once, checks rights first, and writes what it did, the audit line and the
//! change other instances must hear of in one transaction.

pub mod api_tokens;
pub mod authenticate;
pub mod become_member;
mod begin_session;
pub mod change_email;
pub mod change_password;
mod claim_account;
pub mod context;
pub mod cookie_session;
mod csrf;
pub mod end_session;
pub mod end_session_by_link;
mod equal_time;
pub mod error;
pub mod feed;
pub mod found_organization;
pub mod hashing;
pub mod invitations;
pub mod join_organization;
pub mod judging;
mod last_admin;
pub mod limits;
pub mod links;
pub mod list_audit;
pub mod list_members;
pub mod list_sessions;
pub mod login;
pub mod logout;
pub mod mail;
pub mod mail_a_link;
pub mod mail_limit;
mod mailbox;
pub mod mfa;
mod new_membership;
mod one_time;
pub mod operator;
pub mod passwords;
pub mod people;
mod prove_own_password;
mod prove_password;
pub mod read_organization;
pub mod readiness;
pub mod refresh;
pub mod remove_member;
pub mod reset_password;
mod rights;
pub mod rotate_keys;
mod security_txt;
pub mod session_tokens;
pub mod sign_in;
pub mod slack;
pub mod tokens;
pub mod update_organization;
pub mod update_profile;
pub mod verify_email;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, SubsecRound as _, Utc};

use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::ids::AuditId;
use crate::domain::{AllowedReturnUrl, Change, JoinPolicy, lifetimes};
use crate::ports::{Clock, Entropy, random_bytes};
use crate::store::{Store, StoreError, Tx, changes};

pub use api_tokens::{
    CreateApiToken, CreatedApiToken, create_api_token, list_api_tokens, revoke_api_token,
};
pub use authenticate::{Caller, Credential, authenticate, authenticate_to_enrol};
pub use become_member::become_member;
pub use change_email::change_email;
pub use change_password::change_password;
pub use context::RequestContext;
pub use cookie_session::{CookieSession, cookie_session};
pub use end_session::end_session;
pub use end_session_by_link::end_session_by_link;
pub use error::{Error, Result};
pub use feed::Feed;
pub use found_organization::{FoundOrganization, Founded, found_organization};
pub use join_organization::{JoinOrganization, Joined, join_organization};
pub use limits::Limits;
pub use list_audit::list_audit;
pub use list_members::list_members;
pub use list_sessions::list_sessions;
pub use login::{Login, login};
pub use logout::{logout, logout_all};
pub use mail::PostOffice;
pub use mail_a_link::{forgot_password, resend_verification};
pub use passwords::Passwords;
pub use people::{Person, UpdatePerson, find_person, list_people, remove_person, update_person};
pub use read_organization::read_organization;
pub use readiness::{Readiness, hashing_load, mail_backlog, readiness};
pub use refresh::refresh;
pub use remove_member::remove_member;
pub use reset_password::reset_password;
pub use sign_in::{Profile, SignIn, SignedIn};
pub use slack::Slack;
pub use tokens::Tokens;
pub use update_organization::{UpdateOrganization, update_organization};
pub use update_profile::update_profile;
pub use verify_email::verify_email;

/// Everything the verbs work with.
pub struct Services {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub tokens: Tokens,
    pub passwords: Passwords,
    pub feed: Arc<Feed>,
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
    pub post_office: Option<PostOffice>,
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

    /// An audit line of this request about nobody yet.
    fn audit(
        &self,
        context: &RequestContext,
        now: DateTime<Utc>,
        action: Action,
        outcome: Outcome,
    ) -> AuditEntry {
        AuditEntry {
            id: AuditId::new(now, self.random()),
            at: now,
            action,
            outcome,
            actor_id: None,
            subject_id: None,
            organization_id: None,
            address: context.address,
            request_id: context.request_id.clone(),
        }
    }

    /// An audit line of something the caller did to themselves.
    fn audit_own(
        &self,
        context: &RequestContext,
        now: DateTime<Utc>,
        action: Action,
        caller: &Caller,
    ) -> AuditEntry {
        AuditEntry {
            actor_id: Some(caller.profile.id),
            subject_id: Some(caller.profile.id),
            organization_id: Some(caller.profile.organization_id),
            ..self.audit(context, now, action, Outcome::Ok)
        }
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// From now on `/readyz` asks load balancers to look elsewhere.
    pub fn announce_stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }
}

/// Writes changes down for every instance. No token issued before `now` outlives the entry.
fn record_changes(
    tx: &mut Tx<'_>,
    new: &[Change],
    now: DateTime<Utc>,
) -> std::result::Result<(), StoreError> {
    changes::append(tx, new, now, now + lifetimes::ACCESS_TOKEN)
}
