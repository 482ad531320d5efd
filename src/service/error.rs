//! The errors of verbs. `http::error` decides what clients see of them.

use crate::domain::import::ImportRefusal;
use crate::domain::{OrganizationSummary, SessionEnd, SignInFailure, Violation};
use crate::service::limits::Group;
use crate::store::{StoreError, Unique};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields of the request break rules; all violations are listed.
    #[error("the request breaks a rule: {0:?}")]
    Invalid(Vec<Violation>),
    /// Unknown address, wrong password or disabled account: deliberately one error.
    #[error("invalid credentials")]
    InvalidCredentials,
    /// Too many passwords or codes were wrong; this one was not checked.
    #[error("too many attempts")]
    TooManyAttempts {
        /// Seconds.
        retry_after: u32,
    },
    /// The bucket of this group is empty; nothing was done.
    #[error("too many requests")]
    TooManyRequests {
        group: Group,
        /// Seconds.
        retry_after: u32,
    },
    /// The token is not ours, or its user does not exist.
    #[error("invalid token")]
    InvalidToken,
    #[error("token expired")]
    TokenExpired,
    /// The token's session has ended, or the user's tokens were revoked.
    #[error("token revoked")]
    TokenRevoked,
    /// The one-time token is unknown, used, expired, or for another purpose: deliberately one error.
    #[error("invalid or expired one-time token")]
    InvalidOrExpiredToken,
    #[error("not allowed")]
    Forbidden,
    /// The caller acts in no organization, and this needs one.
    #[error("the caller has no organization")]
    NoOrganization,
    /// The session's last proof of identity is too old for this.
    #[error("a recent proof of identity is required")]
    ReauthenticationRequired,
    /// The session is older than the organization allows in which it is to act.
    #[error("the session is too old for the organization")]
    SessionTooOld,
    /// Returned only after the right password.
    #[error("the e-mail address is not verified")]
    EmailNotVerified,
    #[error("the inviter's e-mail address is not verified")]
    InviterNotVerified,
    #[error("the organization requires an invitation")]
    InvitationRequired,
    /// The operator's settings let them in neither as they are nor by the invitation they have.
    #[error("registration is closed to them")]
    RegistrationClosed,
    #[error("creating organizations is closed to them")]
    OrganizationCreationClosed {
        /// Whether a verified address at an allowed domain would let them.
        by_domain: bool,
    },
    #[error("the code of the second factor is wrong")]
    InvalidCode,
    /// No key opens the authenticator's secret, so its codes cannot be checked.
    #[error("the authenticator cannot be used")]
    AuthenticatorUnusable,
    /// The user has an authenticator, and this is no way to send its code.
    #[error("the second factor is missing")]
    SecondFactorRequired,
    /// The organization requires a second factor, and the user has none.
    #[error("the organization requires a second factor")]
    MfaEnrolmentRequired,
    #[error("an authenticator is already enrolled")]
    MfaAlreadyEnabled,
    #[error("no authenticator is enrolled")]
    MfaNotEnrolled,
    /// One of the user's organizations requires the second factor, so it cannot be removed.
    #[error("an organization of the user requires the second factor")]
    MfaRequired,
    #[error("no such organization")]
    OrganizationNotFound,
    #[error("no such session")]
    SessionNotFound,
    #[error("no such user")]
    UserNotFound,
    #[error("no such invitation")]
    InvitationNotFound,
    /// The caller's account has another address than the one that was invited.
    #[error("the invitation is for another address")]
    InvitationNotYours,
    #[error("already a member of the organization")]
    AlreadyMember,
    #[error("the organization accepts no new members")]
    OrganizationClosed,
    /// `change_password` replaces it.
    #[error("the account has a password")]
    PasswordAlreadySet,
    #[error("no such identity")]
    IdentityNotFound,
    /// Without this identity the user could not sign in any more.
    #[error("the last way to sign in must stay")]
    LastWayIn,
    #[error("no such API token")]
    ApiTokenNotFound,
    #[error("too many API tokens")]
    TooManyApiTokens,
    #[error("the organization would be left without an admin")]
    LastAdmin,
    /// As [`LastAdmin`](Self::LastAdmin), for each of these.
    #[error("{} would be left without an admin", names(.0))]
    LastAdminOf(Vec<OrganizationSummary>),
    #[error("also a member of another organization")]
    MemberElsewhere,
    #[error("the e-mail address already has an account")]
    EmailTaken,
    /// Another organization has the slug, or had it.
    #[error("the slug is taken")]
    SlugTaken,
    #[error("too many former slugs")]
    TooManySlugs,
    #[error("the user belongs to too many organizations")]
    TooManyOrganizations,
    #[error("no such join link")]
    JoinLinkNotFound,
    #[error("too many join links")]
    TooManyJoinLinks,
    #[error("no such webhook")]
    WebhookNotFound,
    #[error("too many webhooks")]
    TooManyWebhooks,
    #[error("the webhook is switched off")]
    WebhookSwitchedOff,
    /// No Slack application is configured.
    #[error("sign-in with Slack is not set up")]
    SlackNotSetUp,
    #[error("the sign-in with Slack failed: {0}")]
    SignIn(#[from] SignInFailure),
    /// An operator's import does not go on.
    #[error(transparent)]
    Import(#[from] ImportRefusal),
    /// A concurrent request inserted the same thing; a retry finds it.
    #[error("a concurrent request inserted the same")]
    Conflict,
    /// More work is waiting than can be done in time; nothing was changed.
    #[error("too busy: {0}")]
    Busy(&'static str),
    /// A dependency does not answer.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A bug, or data that should not exist.
    #[error("internal error: {0}")]
    Internal(String),
}

fn names(organizations: &[OrganizationSummary]) -> String {
    let names: Vec<&str> = organizations.iter().map(|it| it.name.as_str()).collect();
    names.join(", ")
}

impl From<Violation> for Error {
    fn from(fault: Violation) -> Self {
        Self::Invalid(vec![fault])
    }
}

impl From<SessionEnd> for Error {
    fn from(end: SessionEnd) -> Self {
        match end {
            SessionEnd::Revoked => Self::TokenRevoked,
            SessionEnd::Expired => Self::TokenExpired,
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::Busy("database"),
            StoreError::NoDatabase(cause)
            | StoreError::Unsuitable(cause)
            | StoreError::Unavailable(cause) => Self::Unavailable(cause),
            StoreError::Taken(_) | StoreError::Failed(_) => Self::Internal(error.to_string()),
        }
    }
}

impl Error {
    /// The error of inserting a user or setting their address.
    pub(in crate::service) fn taken_email(error: StoreError) -> Self {
        match error {
            StoreError::Taken(Unique::UserEmail) => Self::EmailTaken,
            other => other.into(),
        }
    }
}
