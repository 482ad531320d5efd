//! `PATCH /api/auth/me`

use actix_web::web::{Data, Json};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::user::User;
use crate::domain::PersonName;
use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::field::{Parsed, acceptable};
use crate::service::{self, Caller, Services};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateMeRequest {
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = String, min_length = 1, max_length = 201, example = "Ada King")]
    name: Parsed<PersonName>,
}

/// Change one's name
#[utoipa::path(
    patch,
    path = "/api/auth/me",
    tag = "Oneself",
    security(("bearer" = [])),
    request_body = UpdateMeRequest,
    responses((status = 200, description = "The caller, changed.", body = User)),
)]
pub async fn update_me(
    services: Data<Services>,
    caller: Caller,
    Valid(body): Valid<UpdateMeRequest>,
) -> Result<Json<User>, ApiError> {
    let name = body.name.into_value()?;
    let profile = service::update_profile(&services, &caller, name).await?;
    Ok(Json(profile.into()))
}
