//! Entries of the audit log: who did what, from where, and with which outcome.

use std::net::IpAddr;

use chrono::{DateTime, Utc};

use super::ids::AuditId;
use super::{OrganizationId, UserId};

/// What was done or attempted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Login,
    /// A session of an earlier system was exchanged for one of ours.
    SessionExchanged,
    Logout,
    LogoutAll,
    SessionEnded,
    /// The user of a session proved again who they are.
    Reauthenticated,
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
    /// Created, changed or linked by an import.
    UserImported,
    UserDisabled,
    IdentityLinked,
    IdentityUnlinked,
    /// Too many wrong passwords for an account from one address.
    PairLocked,
    /// Too many wrong passwords in a row for an account.
    AccountLocked,
    /// The count of wrong passwords was reset.
    AccountUnlocked,
    /// Wrong passwords for too many accounts from an address.
    AddressLocked,
    /// Too many requests from an address.
    AddressLimited,
    MfaEnabled,
    MfaDisabled,
    /// Too many wrong codes; the second factor is locked for a while.
    MfaLocked,
    RecoveryCodeUsed,
    RecoveryCodesRenewed,
    OrganizationUpdated,
    OrganizationDeleted,
    MemberJoined,
    MemberLeft,
    MemberRemoved,
    InvitationSent,
    InvitationRevoked,
    InvitationAccepted,
    InvitationDeclined,
    JoinLinkCreated,
    JoinLinkRevoked,
    JoinLinkTakenOver,
    WebhookCreated,
    WebhookUpdated,
    WebhookTakenOver,
    WebhookSecretRotated,
    WebhookTested,
    WebhookDeleted,
    /// The service switched it off.
    WebhookSwitchedOff,
    RoleChanged,
    ManagerChanged,
    UserEnabled,
    UserDeleted,
    /// Everything kept about a user was read into a file.
    UserExported,
    ApiTokenCreated,
    ApiTokenRevoked,
    ServiceKeyAdded,
    ServiceKeyRemoved,
    ServiceRemoved,
    /// The signing secrets were reloaded.
    KeysRotated,
    /// More actions of a user in a minute than have rows of their own.
    Counted,
}

/// What users do over and over, mostly with themselves, and what hides nothing when it is counted together.
pub const ROUTINE: [Action; 7] = [
    Action::Logout,
    Action::SessionEnded,
    Action::OrganizationSwitched,
    Action::VerificationRequested,
    Action::EmailChangeRequested,
    Action::ProfileUpdated,
    Action::ManagerChanged,
];

impl Action {
    /// The name in the database: `subject.verb`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "session.login",
            Self::SessionExchanged => "session.exchanged",
            Self::Logout => "session.logout",
            Self::LogoutAll => "session.logout_all",
            Self::SessionEnded => "session.ended",
            Self::Reauthenticated => "session.reauthenticated",
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
            Self::UserImported => "user.imported",
            Self::UserDisabled => "user.disabled",
            Self::IdentityLinked => "user.identity_linked",
            Self::IdentityUnlinked => "user.identity_unlinked",
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
            Self::OrganizationDeleted => "organization.deleted",
            Self::MemberJoined => "membership.joined",
            Self::MemberLeft => "membership.left",
            Self::MemberRemoved => "membership.removed",
            Self::InvitationSent => "invitation.sent",
            Self::InvitationRevoked => "invitation.revoked",
            Self::InvitationAccepted => "invitation.accepted",
            Self::InvitationDeclined => "invitation.declined",
            Self::JoinLinkCreated => "join_link.created",
            Self::JoinLinkRevoked => "join_link.revoked",
            Self::JoinLinkTakenOver => "join_link.taken_over",
            Self::WebhookCreated => "webhook.created",
            Self::WebhookUpdated => "webhook.updated",
            Self::WebhookTakenOver => "webhook.taken_over",
            Self::WebhookSecretRotated => "webhook.secret_rotated",
            Self::WebhookTested => "webhook.tested",
            Self::WebhookDeleted => "webhook.deleted",
            Self::WebhookSwitchedOff => "webhook.switched_off",
            Self::RoleChanged => "user.role_changed",
            Self::ManagerChanged => "user.manager_changed",
            Self::UserEnabled => "user.enabled",
            Self::UserDeleted => "user.deleted",
            Self::UserExported => "user.exported",
            Self::ApiTokenCreated => "api_token.created",
            Self::ApiTokenRevoked => "api_token.revoked",
            Self::ServiceKeyAdded => "service.key_added",
            Self::ServiceKeyRemoved => "service.key_removed",
            Self::ServiceRemoved => "service.removed",
            Self::KeysRotated => "keys.rotated",
            Self::Counted => "audit.counted",
        }
    }
}

/// The outcome of an action.
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

    /// Parses the name of an outcome.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Ok, Self::Refused]
            .into_iter()
            .find(|outcome| outcome.as_str() == word)
    }
}

/// How the actor was authenticated.
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
    /// A session token of an earlier system.
    LegacySession,
    ApiToken,
    /// The operator's command line, or a signal to the process.
    Operator,
}

impl Method {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Slack => "slack",
            Self::SecondFactor => "second_factor",
            Self::Registration => "registration",
            Self::Invitation => "invitation",
            Self::EmailLink => "email_link",
            Self::Session => "session",
            Self::LegacySession => "legacy_session",
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
    /// The user who did it; `None` before a sign-in and for the command line.
    pub actor_id: Option<UserId>,
    /// The user it was done to.
    pub subject_id: Option<UserId>,
    pub organization_id: Option<OrganizationId>,
    pub address: Option<IpAddr>,
    pub request_id: String,
    pub method: Option<Method>,
    /// Why it was refused: a stable word, such as `wrong_password`.
    pub reason: Option<&'static str>,
    /// The name of the device.
    pub device: Option<String>,
    /// A JSON object: what changed, from what to what.
    pub detail: Option<String>,
}

/// A row as read from the database. Its names are text, because a newer version may have written them.
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

/// A filter for rows; all given criteria must match.
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
