//! The domain types and rules, without I/O and without a clock.

pub mod account_export;
pub mod address_block;
pub mod api_token;
pub mod audit;
pub mod change;
pub mod clearance;
pub mod cookie_parts;
pub mod device;
pub mod domain_name;
pub mod email;
pub mod email_message;
pub mod exported_person;
pub mod external_id;
pub mod feed_cursor;
pub mod ids;
pub mod import;
pub mod invitation;
pub mod join_link;
pub mod join_policy;
pub mod lifetimes;
pub mod mail;
pub mod names;
pub mod network;
pub mod new_password;
pub mod origin;
pub mod page;
pub mod password;
pub mod person;
pub mod pkce;
pub mod postgres_url;
pub mod proxy_header;
pub mod public_address;
pub mod public_key;
pub mod quota;
pub mod return_url;
pub mod role;
pub mod scope;
pub mod self_service;
pub mod service_account;
pub mod session_kind;
mod session_lifetimes;
pub mod slack;
pub mod slug;
pub mod typed;
mod validity;
pub mod violation;
pub mod webhook;
pub mod webhook_event;

pub use address_block::AddressBlock;
pub use api_token::ApiToken;
pub use change::Change;
pub use clearance::Clearance;
pub use domain_name::AllowedDomains;
pub use email::Email;
pub use email_message::{EmailMessage, Priority};
pub use external_id::{ExternalId, ImportedUser};
pub use feed_cursor::FeedCursor;
pub use ids::{
    ApiTokenId, IdentityId, ImportId, InvitationId, JoinLinkId, OrganizationId, ServiceId,
    ServiceKeyId, SessionId, SlackStateId, UserId, WebhookEventId, WebhookId,
};
pub use invitation::Invitation;
pub use join_link::JoinLink;
pub use join_policy::JoinPolicy;
pub use lifetimes::{
    Kept, LifetimeRule, Lifetimes, Retention, SessionIdle, SessionLifetime, TokenLifetime,
};
pub use mail::{MailLogin, MailSender, MailServer, MailTls};
pub use names::{ApiTokenName, OrganizationName, PersonName, WebhookName};
pub use network::Network;
pub use new_password::{NewPasswordRules, OwnWords};
pub use password::{Password, TypedPassword};
pub use person::{
    ActiveOrganization, DeviceOwner, Member, Membership, MyOrganization, Organization,
    OrganizationRules, OrganizationSummary, Session, SessionEnd, SessionKey, TokenVersions, User,
};
pub use pkce::{CodeChallenge, CodeVerifier};
pub use postgres_url::PostgresUrl;
pub use proxy_header::ProxyHeader;
pub use public_key::PublicKey;
pub use quota::{Allowance, Quota};
pub use return_url::{AllowedReturnUrl, ReturnUrl};
pub use role::Role;
pub use scope::{Permission, Relationship, Scope};
pub use self_service::SelfService;
pub use session_kind::SessionKind;
pub use slack::{Identity, SignInFailure, SlackAccount, SlackPerson, TokenDelivery};
pub use slug::{ReservedSlugs, Slug};
pub use validity::Validity;
pub use violation::Violation;
pub use webhook::{Webhook, WebhookUrl};
pub use webhook_event::{ChosenEvents, EventType, Happened};
