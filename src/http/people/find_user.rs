//! `GET /api/users/{id}`

use actix_web::web::{Data, Json, Path};

use super::person::Person;
use crate::domain::UserId;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, NoOrganization, UserNotFound};
use crate::service::{self, MemberCaller, Services};

/// Read a user
///
/// 403 for a user the caller may not see; 404 for a user of another organization or an invalid id.
#[utoipa::path(
    get,
    path = "/api/users/{id}",
    tag = "Users",
    security(("bearer" = [])),
    params(("id" = UserId, Path, description = "The user's id.")),
    responses((status = 200, description = "The user.", body = Person)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, UserNotFound]))),
)]
pub(crate) async fn find_user(
    services: Data<Services>,
    caller: MemberCaller,
    id: Path<String>,
) -> Result<Json<Person>, ApiError> {
    let id = id.parse().map_err(|_| UserNotFound)?;
    let person = service::find_person(&services, &caller, id).await?;
    Ok(Json(person.into()))
}
