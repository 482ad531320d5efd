//! The words of the product and the rules that need nothing but values. No I/O, no clock.

pub mod address_block;
pub mod audit;
pub mod change;
pub mod email;
pub mod fault;
pub mod ids;
pub mod join_policy;
pub mod letter;
pub mod lifetimes;
pub mod mail;
pub mod names;
pub mod new_password;
pub mod password;
pub mod person;
pub mod pkce;
pub mod quota;
pub mod return_url;
pub mod role;
pub mod slack;

pub use address_block::AddressBlock;
pub use change::Change;
pub use email::Email;
pub use fault::Fault;
pub use ids::{ApiTokenId, OrganizationId, SessionId, SlackStateId, UserId};
pub use join_policy::JoinPolicy;
pub use letter::Letter;
pub use mail::{MailLogin, MailSender, MailServer, MailTls};
pub use names::{OrganizationName, PersonName, Slug};
pub use new_password::NewPasswordRules;
pub use password::Password;
pub use person::{Membership, Organization, Session, User};
pub use pkce::{CodeChallenge, CodeVerifier};
pub use quota::{Allowance, Quota};
pub use return_url::{AllowedReturnUrl, ReturnUrl};
pub use role::Role;
pub use slack::{SignInFailure, SlackAccount, SlackPerson, TokenDelivery};
