//! The login answer.

use serde::Serialize;
use utoipa::ToSchema;

use super::user::User;
use crate::service;

/// A fresh access token and whom it speaks for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignedIn {
    /// A JWT (HS256) for `Authorization: Bearer`.
    #[schema(example = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl")]
    access_token: String,
    /// Seconds until the token expires.
    #[schema(example = 604_800)]
    expires_in: i64,
    user: User,
}

impl From<service::SignedIn> for SignedIn {
    fn from(signed_in: service::SignedIn) -> Self {
        Self {
            access_token: signed_in.access_token,
            expires_in: signed_in.expires_in,
            user: signed_in.profile.into(),
        }
    }
}
