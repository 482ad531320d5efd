//! `GET /api/users/{id}`

use actix_web::web::{Data, Json, Path};

use super::person::Person;
use crate::domain::UserId;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, UserNotFound};
use crate::service::{self, Caller, Services};

/// Look at a person
///
/// Whoever is beyond the caller's scope is 403; who is no member of the organization, and nonsense, is 404.
#[utoipa::path(
    get,
    path = "/api/users/{id}",
    tag = "People",
    security(("bearer" = [])),
    params(("id" = UserId, Path, description = "A person's id.")),
    responses((status = 200, description = "The person.", body = Person)),
    extensions(("x-error-codes" = json!([Forbidden, UserNotFound]))),
)]
pub async fn find_user(
    services: Data<Services>,
    caller: Caller,
    id: Path<String>,
) -> Result<Json<Person>, ApiError> {
    let id = id.parse().map_err(|_| UserNotFound)?;
    let person = service::find_person(&services, &caller, id).await?;
    Ok(Json(person.into()))
}
