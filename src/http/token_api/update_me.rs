//! `PATCH /api/auth/me`

use actix_web::web::{Data, Json};

use super::user::User;
use crate::domain::PersonName;
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::Forbidden;
use crate::service::{self, Caller, Services};

body! {
    pub struct UpdateMeRequest {
        #[schema(value_type = String, min_length = 1, max_length = 201, example = "Ada King")]
        name: PersonName,
    }
}

/// Change the name
#[utoipa::path(
    patch,
    path = "/api/auth/me",
    tag = "Current user",
    security(("bearer" = [])),
    request_body = UpdateMeRequest,
    responses((status = 200, description = "The updated user.", body = User)),
    extensions(("x-error-codes" = json!([Forbidden]))),
)]
pub(crate) async fn update_me(
    services: Data<Services>,
    caller: Caller,
    Valid(body): Valid<UpdateMeRequest>,
) -> Result<Json<User>, ApiError> {
    let profile = service::update_profile(&services, &caller, body.name).await?;
    Ok(Json(profile.into()))
}
