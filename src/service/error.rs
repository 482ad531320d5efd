//! What can go wrong in a verb, in the product's words. `http::error` decides what clients see of it.

use crate::domain::{SignInFailure, Violation};
use crate::store::{StoreError, Unique};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields of the request break a rule; every fault is listed.
    #[error("the request breaks a rule: {0:?}")]
    Invalid(Vec<Violation>),
    /// Unknown address, wrong password, disabled account: deliberately one answer.
    #[error("invalid credentials")]
    InvalidCredentials,
    /// Too many passwords or codes were wrong; nothing was looked at.
    #[error("too many attempts")]
    TooManyAttempts {
        /// Seconds.
        retry_after: u32,
    },
    /// The token is none of ours, or speaks for somebody who is not there.
    #[error("invalid token")]
    InvalidToken,
    #[error("token expired")]
    TokenExpired,
    /// The token's session has ended, or the user's tokens have been called back.
    #[error("token revoked")]
    TokenRevoked,
    /// The one-time token is unknown, used, too old, or for something else: deliberately one answer.
    #[error("invalid or expired one-time token")]
    InvalidOrExpiredToken,
    #[error("not allowed")]
    Forbidden,
    /// Told only to those who know the password.
    #[error("the e-mail address is still to be verified")]
    EmailNotVerified,
    #[error("the organization takes in invited people only")]
    InvitationRequired,
    #[error("the code of the second factor is wrong")]
    InvalidCode,
    /// The organization lets in only those who have a second factor, and the person has none.
    #[error("the organization wants a second factor")]
    MfaEnrolmentRequired,
    #[error("an authenticator is enrolled already")]
    MfaAlreadyEnabled,
    #[error("no authenticator is enrolled")]
    MfaNotEnrolled,
    /// One of the person's organizations lets nobody be without.
    #[error("an organization wants the second factor")]
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
    #[error("a member of the organization already")]
    AlreadyMember,
    #[error("the organization takes in nobody")]
    OrganizationClosed,
    #[error("no such API token")]
    ApiTokenNotFound,
    #[error("too many API tokens")]
    TooManyApiTokens,
    #[error("the organization would be left without an admin")]
    LastAdmin,
    #[error("a member of another organization as well")]
    MemberElsewhere,
    #[error("the e-mail address has an account already")]
    EmailTaken,
    /// Nobody has given us an application at Slack.
    #[error("sign-in with Slack is not set up")]
    SlackNotSetUp,
    #[error("the sign-in with Slack failed: {0}")]
    SignIn(#[from] SignInFailure),
    /// Another request made the same thing at the same moment; looking again finds it.
    #[error("another request was faster")]
    Conflict,
    /// More work is waiting than can be done in time; nothing was done.
    #[error("too busy: {0}")]
    Busy(&'static str),
    /// Something we depend on does not answer.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A fault of ours.
    #[error("internal error: {0}")]
    Internal(String),
}

impl From<Violation> for Error {
    fn from(fault: Violation) -> Self {
        Self::Invalid(vec![fault])
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::Busy("database"),
            StoreError::Unavailable(cause) => Self::Unavailable(cause),
            StoreError::Taken(_) | StoreError::Failed(_) => Self::Internal(error.to_string()),
        }
    }
}

impl Error {
    /// A store's answer to the insertion of a user.
    pub(in crate::service) fn taken_email(error: StoreError) -> Self {
        match error {
            StoreError::Taken(Unique::UserEmail) => Self::EmailTaken,
            other => other.into(),
        }
    }
}
