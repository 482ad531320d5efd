//! `GET /api/auth/account`

use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{self, IdentityId};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::Forbidden;
use crate::http::organizations::my_organization::MyOrganization;
use crate::http::token_api::user::User;
use crate::service::{self, Caller, OwnAccount, Services};

/// The caller's account: what there is to know besides the `user`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Account {
    user: User,
    /// The id that they had in the system they were imported from; absent if they were not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, required = false, nullable = false, example = "ckx1ada0000")]
    external_id: Option<String>,
    #[schema(example = true)]
    email_verified: bool,
    #[schema(example = true)]
    has_password: bool,
    /// Whether an authenticator is enrolled.
    #[schema(example = false)]
    second_factor: bool,
    identities: Vec<Identity>,
    #[schema(example = "2026-11-22T09:30:00Z")]
    created_at: DateTime<Utc>,
    organizations: Vec<MyOrganization>,
}

/// A linked account at another provider.
#[derive(Serialize, ToSchema)]
pub(crate) struct Identity {
    id: IdentityId,
    #[schema(example = "slack")]
    provider: String,
    /// The id of its workspace.
    #[schema(example = "T0123ABCD")]
    team: String,
}

impl From<domain::Identity> for Identity {
    fn from(identity: domain::Identity) -> Self {
        Self {
            id: identity.id,
            provider: identity.provider,
            team: identity.team,
        }
    }
}

impl From<OwnAccount> for Account {
    fn from(account: OwnAccount) -> Self {
        let current = account.profile.organization.map(|active| active.id);
        let organizations = account.organizations.into_iter();
        Self {
            user: account.profile.into(),
            external_id: account.external_id,
            email_verified: account.is_email_verified,
            has_password: account.has_password,
            second_factor: account.has_second_factor,
            identities: account.identities.into_iter().map(Identity::from).collect(),
            created_at: account.created_at,
            organizations: organizations
                .map(|organization| MyOrganization::new(organization, current))
                .collect(),
        }
    }
}

/// Read the account
///
/// Whether the address is verified, with what the caller signs in, and the organizations they belong to.
#[utoipa::path(
    get,
    path = "/api/auth/account",
    tag = "Current user",
    security(("bearer" = [])),
    responses((status = 200, description = "The account.", body = Account)),
    extensions(("x-error-codes" = json!([Forbidden]))),
)]
pub(crate) async fn account(
    services: Data<Services>,
    caller: Caller,
) -> Result<Json<Account>, ApiError> {
    let account = service::account(&services, &caller).await?;
    Ok(Json(account.into()))
}
