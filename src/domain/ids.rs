//! Identifiers: version 7 UUIDs (RFC 9562), with a type for each kind of record.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::{Builder, Uuid};

use super::typed::trimmed;

/// A version 7 UUID for `now`, its 74 random bits taken from `random`.
///
/// A clock before 1970 counts as 1970, so that this cannot fail.
fn uuid_v7(now: DateTime<Utc>, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The nil UUID, which no record has.
            pub const NIL: Self = Self(Uuid::nil());

            /// A new identifier; `random` must come from a cryptographic source.
            pub fn new(now: DateTime<Utc>, random: [u8; 10]) -> Self {
                Self(uuid_v7(now, random))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(trimmed(text)).map(Self)
            }
        }
    };
}

id! {
    /// A user, in all of their organizations.
    UserId
}
id! {
    /// An organization (a tenant).
    OrganizationId
}
id! {
    /// One sign-in on one device, with either kind of token.
    SessionId
}

impl SessionId {
    /// When the session began, to the millisecond, which is in the id; `None` for an id of another kind.
    pub fn created_at(self) -> Option<DateTime<Utc>> {
        let (seconds, nanos) = self.0.get_timestamp()?.to_unix();
        DateTime::from_timestamp(seconds.try_into().ok()?, nanos)
    }
}

id! {
    /// A pending sign-in with Slack.
    SlackStateId
}
id! {
    /// A link of an account at another provider to a user.
    IdentityId
}
id! {
    /// An API token.
    ApiTokenId
}
id! {
    /// Another service that Hallpass knows.
    ServiceId
}
id! {
    /// A key of another service.
    ServiceKeyId
}
id! {
    /// An invitation to an organization.
    InvitationId
}
id! {
    /// A link by which people join an organization.
    JoinLinkId
}
id! {
    /// A webhook of an organization.
    WebhookId
}
id! {
    /// An event that webhooks are told of, the same at all of them.
    WebhookEventId
}
id! {
    /// An e-mail in the outbox.
    EmailId
}
id! {
    /// A run of `hallpass import`.
    ImportId
}
id! {
    /// An entry of the audit log.
    AuditId
}
id! {
    /// One request, or one command on the command line.
    RequestId
}
