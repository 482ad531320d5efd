//! `PATCH /api/users/{id}`

use actix_web::web::{Data, Json, Path};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::person::Person;
use crate::domain::{PersonName, Role, UserId};
use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, LastAdmin, MemberElsewhere, UserNotFound};
use crate::http::field::{Parsed, Patch, acceptable, acceptable_or_null};
use crate::service::{self, Caller, Services, UpdatePerson};

/// What is left out stays.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateUserRequest {
    /// For admins, managers above the person, and the person.
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 201, example = "Alan M. Turing")]
    name: Option<Parsed<PersonName>>,
    /// For admins.
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = Option<Role>)]
    role: Option<Parsed<Role>>,
    /// Whom the person reports to from now on, or null for nobody. For admins.
    #[serde(default)]
    #[validate(custom(function = "acceptable_or_null"))]
    #[schema(value_type = Option<UserId>)]
    manager_id: Patch<UserId>,
    /// True closes the account and ends its sessions and API tokens, false opens it again. For admins, and only while
    /// the person belongs to no other organization.
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = Option<bool>, example = true)]
    disabled: Option<Parsed<bool>>,
}

impl UpdateUserRequest {
    fn into_update(self) -> Result<UpdatePerson, ApiError> {
        Ok(UpdatePerson {
            name: self.name.map(Parsed::into_value).transpose()?,
            role: self.role.map(Parsed::into_value).transpose()?,
            manager_id: self.manager_id.into_change()?,
            disabled: self.disabled.map(Parsed::into_value).transpose()?,
        })
    }
}

/// Change a person
///
/// All of it or nothing. A new role counts at the next request. The last admin stays one.
#[utoipa::path(
    patch,
    path = "/api/users/{id}",
    tag = "People",
    security(("bearer" = [])),
    params(("id" = UserId, Path, description = "A person's id.")),
    request_body = UpdateUserRequest,
    responses((status = 200, description = "The person, changed.", body = Person)),
    extensions(("x-error-codes" = json!([Forbidden, LastAdmin, MemberElsewhere, UserNotFound]))),
)]
pub async fn update_user(
    services: Data<Services>,
    caller: Caller,
    id: Path<String>,
    Valid(body): Valid<UpdateUserRequest>,
) -> Result<Json<Person>, ApiError> {
    let id = id.parse().map_err(|_| UserNotFound)?;
    let update = body.into_update()?;
    let person = service::update_person(&services, &caller, id, update).await?;
    Ok(Json(person.into()))
}
