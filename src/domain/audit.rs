//! The audit log's lines: who did what, from where, and how it ended.

use std::net::IpAddr;

use chrono::{DateTime, Utc};

use super::ids::AuditId;
use super::{OrganizationId, UserId};

/// What was done, or tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Login,
    Logout,
    LogoutAll,
    SessionEnded,
    Registered,
    OrganizationFounded,
    OrganizationSwitched,
    PasswordChanged,
    PasswordResetRequested,
    PasswordReset,
    VerificationRequested,
    EmailVerified,
    EmailChangeRequested,
    EmailChanged,
    ProfileUpdated,
    UserCreated,
    UserDisabled,
    IdentityLinked,
    /// Too many wrong passwords for one account from one address.
    PairLocked,
    /// Too many in a row for one account.
    AccountLocked,
    /// What was wrong before was forgotten.
    AccountUnlocked,
    /// Wrong passwords for too many accounts from one address.
    AddressLocked,
    /// Too many requests from one address.
    AddressLimited,
    MfaEnabled,
    MfaDisabled,
    /// So many wrong codes that none is looked at for a while.
    MfaLocked,
    RecoveryCodeUsed,
    RecoveryCodesRenewed,
    OrganizationUpdated,
    MemberJoined,
    MemberLeft,
    MemberRemoved,
    InvitationSent,
    InvitationRevoked,
    InvitationAccepted,
    RoleChanged,
    ManagerChanged,
    UserEnabled,
    UserDeleted,
    ApiTokenCreated,
    ApiTokenRevoked,
    /// Other secrets sign and verify, without a restart.
    KeysRotated,
}

impl Action {
    /// The word in the database: `subject.verb`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "session.login",
            Self::Logout => "session.logout",
            Self::LogoutAll => "session.logout_all",
            Self::SessionEnded => "session.ended",
            Self::Registered => "user.registered",
            Self::OrganizationFounded => "organization.founded",
            Self::OrganizationSwitched => "session.organization_switched",
            Self::PasswordChanged => "user.password_changed",
            Self::PasswordResetRequested => "user.password_reset_requested",
            Self::PasswordReset => "user.password_reset",
            Self::VerificationRequested => "user.verification_requested",
            Self::EmailVerified => "user.email_verified",
            Self::EmailChangeRequested => "user.email_change_requested",
            Self::EmailChanged => "user.email_changed",
            Self::ProfileUpdated => "user.profile_updated",
            Self::UserCreated => "user.created",
            Self::UserDisabled => "user.disabled",
            Self::IdentityLinked => "user.identity_linked",
            Self::PairLocked => "account.locked_for_address",
            Self::AccountLocked => "account.locked",
            Self::AccountUnlocked => "account.unlocked",
            Self::AddressLocked => "address.locked",
            Self::AddressLimited => "address.limited",
            Self::MfaEnabled => "mfa.enabled",
            Self::MfaDisabled => "mfa.disabled",
            Self::MfaLocked => "mfa.locked",
            Self::RecoveryCodeUsed => "mfa.recovery_code_used",
            Self::RecoveryCodesRenewed => "mfa.recovery_codes_renewed",
            Self::OrganizationUpdated => "organization.updated",
            Self::MemberJoined => "membership.joined",
            Self::MemberLeft => "membership.left",
            Self::MemberRemoved => "membership.removed",
            Self::InvitationSent => "invitation.sent",
            Self::InvitationRevoked => "invitation.revoked",
            Self::InvitationAccepted => "invitation.accepted",
            Self::RoleChanged => "user.role_changed",
            Self::ManagerChanged => "user.manager_changed",
            Self::UserEnabled => "user.enabled",
            Self::UserDeleted => "user.deleted",
            Self::ApiTokenCreated => "api_token.created",
            Self::ApiTokenRevoked => "api_token.revoked",
            Self::KeysRotated => "keys.rotated",
        }
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    Refused,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
        }
    }

    /// The outcome a word names.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Ok, Self::Refused]
            .into_iter()
            .find(|outcome| outcome.as_str() == word)
    }
}

/// What somebody proved themselves with, or who acted without a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Password,
    Slack,
    /// The second step of a sign-in.
    SecondFactor,
    Registration,
    Invitation,
    /// A link from an e-mail.
    EmailLink,
    Session,
    ApiToken,
    /// The operator's command line, or a signal to the process.
    Operator,
}

impl Method {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Slack => "slack",
            Self::SecondFactor => "second_factor",
            Self::Registration => "registration",
            Self::Invitation => "invitation",
            Self::EmailLink => "email_link",
            Self::Session => "session",
            Self::ApiToken => "api_token",
            Self::Operator => "operator",
        }
    }
}

/// One row of the log.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    pub id: AuditId,
    pub at: DateTime<Utc>,
    pub action: Action,
    pub outcome: Outcome,
    /// Who did it; nobody is known before a sign-in, and the command line is nobody.
    pub actor_id: Option<UserId>,
    /// To whom it was done.
    pub subject_id: Option<UserId>,
    pub organization_id: Option<OrganizationId>,
    pub address: Option<IpAddr>,
    pub request_id: String,
    pub method: Option<Method>,
    /// Why it was refused: a stable word, such as `wrong_password`.
    pub reason: Option<&'static str>,
    /// The `User-Agent`.
    pub device: Option<String>,
    /// A JSON object: what changed, from what to what.
    pub detail: Option<String>,
}

/// A row as it was read back. Its words are text: a newer version may have written it.
#[derive(Debug, Clone)]
pub struct WrittenEntry {
    pub id: AuditId,
    pub at: DateTime<Utc>,
    pub action: String,
    pub outcome: String,
    pub actor_id: Option<UserId>,
    pub subject_id: Option<UserId>,
    pub address: Option<String>,
    pub request_id: String,
}

/// Which lines are wanted; everything that is given must fit.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub action: Option<String>,
    pub outcome: Option<Outcome>,
    pub actor_id: Option<UserId>,
    pub subject_id: Option<UserId>,
    /// From this instant on.
    pub from: Option<DateTime<Utc>>,
    /// Before this instant.
    pub to: Option<DateTime<Utc>>,
}
