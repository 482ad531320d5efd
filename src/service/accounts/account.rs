//! What there is to know about the caller's own account.

use chrono::{DateTime, Utc};

use crate::domain::{Identity, MyOrganization};
use crate::service::{Caller, Profile, Result, Services};
use crate::store::{external_ids, identities, memberships, totp};

/// The caller's account, besides what their organizations see.
pub struct OwnAccount {
    pub profile: Profile,
    /// The id that they had in the system they were imported from last.
    pub external_id: Option<String>,
    pub is_email_verified: bool,
    pub has_password: bool,
    /// Whether an authenticator is enrolled.
    pub has_second_factor: bool,
    pub identities: Vec<Identity>,
    pub created_at: DateTime<Utc>,
    pub organizations: Vec<MyOrganization>,
}

/// # Errors
/// `Forbidden` for a service.
pub async fn account(services: &Services, caller: &Caller) -> Result<OwnAccount> {
    caller.session_id()?;
    services
        .read_as(caller, |tx, actor| {
            let user_id = actor.id();
            Ok(OwnAccount {
                profile: actor.profile(),
                external_id: external_ids::latest_of_user(tx, user_id)?,
                is_email_verified: actor.account.email_verified_at.is_some(),
                has_password: actor.account.password_hash.is_some(),
                has_second_factor: totp::is_enrolled(tx, user_id)?,
                identities: identities::list_of_user(tx, user_id)?,
                created_at: actor.user().created_at,
                organizations: memberships::my_organizations(tx, user_id)?,
            })
        })
        .await
}
