//! Everything that is kept about a person, as one file (GDPR Art. 15 and 20).

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ids::{AuditId, EmailId};
use super::{
    ApiTokenId, InvitationId, JoinLinkId, OrganizationId, Role, SessionId, SessionKind, UserId,
};

/// The version of the format. A field that goes or changes its meaning raises it; a new one does not.
pub const VERSION: u8 = 1;

/// Everything that is kept about a person, but for secrets, their hashes, and what concerns other people. Each list
/// begins with its oldest entry.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountExport {
    /// The version of the format.
    #[schema(example = 1)]
    pub version: u8,
    /// When the file was begun. What changes while it is read may be missing or new.
    #[schema(example = "2026-11-22T09:30:00Z")]
    pub exported_at: DateTime<Utc>,
    pub account: ExportedAccount,
    pub memberships: Vec<ExportedMembership>,
    /// Also ended ones that are still kept.
    pub sessions: Vec<ExportedSession>,
    pub api_tokens: Vec<ExportedApiToken>,
    pub identities: Vec<ExportedIdentity>,
    /// The ids that the person had in the systems they were imported from.
    pub external_ids: Vec<ExportedExternalId>,
    pub known_addresses: Vec<ExportedAddress>,
    pub known_devices: Vec<ExportedDevice>,
    /// Invitations to the address; empty while it is not verified, since it may be somebody else's.
    pub invitations: Vec<ExportedInvitation>,
    /// Invitations that the person sent.
    pub sent_invitations: Vec<ExportedSentInvitation>,
    /// Join links that the person made.
    pub join_links: Vec<ExportedJoinLink>,
    /// E-mails about the account, and those to its verified address.
    pub emails: Vec<ExportedEmail>,
    /// Links in e-mails and steps of a sign-in that can still be used.
    pub one_time_tokens: Vec<ExportedOneTimeToken>,
    /// What the person did: their rows of the audit log.
    pub actions: Vec<ExportedAction>,
    /// What others did to the person, or somebody who was not signed in, such as a refused sign-in.
    pub actions_by_others: Vec<ExportedActionByOthers>,
}

/// The account itself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedAccount {
    pub id: UserId,
    #[schema(required, example = "ada@example.com")]
    pub email: Option<String>,
    #[schema(required)]
    pub email_verified_at: Option<DateTime<Utc>>,
    #[schema(example = "Ada Lovelace")]
    pub name: String,
    #[schema(required, example = "Ada")]
    pub first_name: Option<String>,
    #[schema(required, example = "Lovelace")]
    pub last_name: Option<String>,
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    #[schema(required)]
    pub disabled_at: Option<DateTime<Utc>>,
    pub has_password: bool,
    /// The organization that the person acted in last.
    #[schema(required)]
    pub last_organization_id: Option<OrganizationId>,
    #[schema(required)]
    pub second_factor: Option<ExportedSecondFactor>,
    pub wrong_passwords: ExportedWrongPasswords,
}

/// An authenticator and its recovery codes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedSecondFactor {
    pub created_at: DateTime<Utc>,
    /// Null for one that is not confirmed yet.
    #[schema(required)]
    pub confirmed_at: Option<DateTime<Utc>>,
    /// Wrong codes in a row.
    pub wrong_codes: i32,
    #[schema(required)]
    pub locked_until: Option<DateTime<Utc>>,
    pub recovery_codes_left: i64,
}

/// Wrong passwords that were tried for the account, as far as they are still counted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedWrongPasswords {
    /// Of the last minutes, from any address.
    pub recent: i64,
    #[schema(required)]
    pub recent_since: Option<DateTime<Utc>>,
    /// Since the last right one.
    pub in_a_row: i32,
    #[schema(required)]
    pub last_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedMembership {
    pub organization_id: OrganizationId,
    #[schema(example = "Acme")]
    pub organization_name: String,
    #[schema(example = "acme")]
    pub organization_slug: String,
    pub role: Role,
    #[schema(required)]
    pub manager_id: Option<UserId>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedSession {
    pub id: SessionId,
    pub kind: SessionKind,
    #[schema(required)]
    pub organization_id: Option<OrganizationId>,
    /// The `User-Agent` of the sign-in.
    #[schema(required)]
    pub device: Option<String>,
    #[schema(required, example = "198.51.100.7")]
    pub address: Option<String>,
    pub created_at: DateTime<Utc>,
    pub last_used_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// When the person last proved in it who they are.
    #[schema(required)]
    pub proven_at: Option<DateTime<Utc>>,
    /// Whether its second factor is missing.
    pub locked: bool,
    /// Whether it was ended before it expired.
    pub ended: bool,
    /// Null also if it ended with all others and has not been marked yet.
    #[schema(required)]
    pub ended_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedApiToken {
    pub id: ApiTokenId,
    pub name: String,
    /// The first characters, which the list of tokens shows too.
    #[schema(example = "hp_Xk3v")]
    pub prefix: String,
    pub organization_id: OrganizationId,
    pub role: Role,
    /// The session that made it.
    #[schema(required)]
    pub session_id: Option<SessionId>,
    pub created_at: DateTime<Utc>,
    #[schema(required)]
    pub expires_at: Option<DateTime<Utc>>,
    #[schema(required)]
    pub last_used_at: Option<DateTime<Utc>>,
    #[schema(required)]
    pub revoked_at: Option<DateTime<Utc>>,
}

/// An account at Slack that leads to the person, or did.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedIdentity {
    #[schema(example = "slack")]
    pub provider: String,
    #[schema(example = "T0123ABCD")]
    pub team: String,
    #[schema(example = "U0123ABCD")]
    pub account_id: String,
    /// Null for a detached one.
    #[schema(required)]
    pub linked_at: Option<DateTime<Utc>>,
    /// Whether Slack calls the person an owner or admin of the workspace.
    pub is_workspace_admin: bool,
    /// When a password reset detached it.
    #[schema(required)]
    pub detached_at: Option<DateTime<Utc>>,
    /// When an admin removed the person from the workspace's organization.
    #[schema(required)]
    pub removed_at: Option<DateTime<Utc>>,
}

/// The id of the person in a system they were imported from.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedExternalId {
    #[schema(example = "acme-app")]
    pub source: String,
    #[schema(example = "clx2z9v0w0000")]
    pub id: String,
    pub imported_at: DateTime<Utc>,
}

/// From where the person has signed in: an IPv4 address or an IPv6 network.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedAddress {
    #[schema(example = "198.51.100.7")]
    pub address: String,
    pub last_at: DateTime<Utc>,
}

/// With what the person has signed in, and from which network.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedDevice {
    #[schema(example = "Chrome on Windows")]
    pub device: String,
    #[schema(example = "198.51.0.0/16")]
    pub network: String,
    pub last_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedInvitation {
    pub id: InvitationId,
    pub organization_id: OrganizationId,
    #[schema(example = "Acme")]
    pub organization_name: String,
    pub role: Role,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    #[schema(required)]
    pub accepted_at: Option<DateTime<Utc>>,
    #[schema(required)]
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A join link without its token.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedJoinLink {
    pub id: JoinLinkId,
    pub organization_id: OrganizationId,
    pub role: Role,
    /// How many people may join by it; null for any number.
    #[schema(required)]
    pub uses: Option<i32>,
    /// How many did.
    pub used: i32,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// An invitation by the person, without the address of the invited one.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedSentInvitation {
    pub id: InvitationId,
    pub organization_id: OrganizationId,
    pub role: Role,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    #[schema(required)]
    pub accepted_at: Option<DateTime<Utc>>,
    #[schema(required)]
    pub revoked_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedEmail {
    pub id: EmailId,
    /// `blank` for one that somebody asked for and that was not written.
    #[schema(example = "new_sign_in")]
    pub kind: String,
    pub created_at: DateTime<Utc>,
    pub attempts: i32,
    #[schema(required)]
    pub sent_at: Option<DateTime<Utc>>,
    /// When the attempts to send it ended in vain.
    #[schema(required)]
    pub given_up_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedOneTimeToken {
    #[schema(example = "reset_password")]
    pub purpose: String,
    pub expires_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedAction {
    pub id: AuditId,
    pub at: DateTime<Utc>,
    #[schema(example = "session.login")]
    pub action: String,
    /// `ok` or `refused`.
    #[schema(example = "ok")]
    pub outcome: String,
    #[schema(required)]
    pub organization_id: Option<OrganizationId>,
    #[schema(required, example = "password")]
    pub method: Option<String>,
    /// Why it was refused.
    #[schema(required)]
    pub reason: Option<String>,
    #[schema(required, example = "198.51.100.7")]
    pub address: Option<String>,
    #[schema(required)]
    pub device: Option<String>,
    pub request_id: String,
    /// Whether it was done to somebody else, who is not named.
    pub to_another_person: bool,
    /// What changed; null for what was done to somebody else.
    #[schema(required, value_type = Option<Object>)]
    pub detail: Option<Value>,
}

/// An action of somebody else, without who it was and from where.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedActionByOthers {
    pub id: AuditId,
    pub at: DateTime<Utc>,
    #[schema(example = "user.role_changed")]
    pub action: String,
    /// `ok` or `refused`.
    #[schema(example = "ok")]
    pub outcome: String,
    #[schema(required)]
    pub organization_id: Option<OrganizationId>,
    #[schema(required, example = "session")]
    pub method: Option<String>,
    /// Why it was refused.
    #[schema(required)]
    pub reason: Option<String>,
    /// What changed.
    #[schema(required, value_type = Option<Object>)]
    pub detail: Option<Value>,
}

/// The place of a row in a list by the time of its creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowKey {
    pub at: DateTime<Utc>,
    pub id: Uuid,
}

impl RowKey {
    /// Before all rows.
    pub const START: Self = Self {
        at: DateTime::UNIX_EPOCH,
        id: Uuid::nil(),
    };
}
