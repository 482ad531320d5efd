//! `PATCH /api/users/{id}`

use actix_web::web::{Data, Json, Path};

use super::person::Person;
use crate::domain::{PersonName, Role, UserId};
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, LastAdmin, MemberElsewhere, NoOrganization, ReauthenticationRequired, UserNotFound,
};
use crate::http::field::Patch;
use crate::service::{self, MemberCaller, Services, UpdatePerson};

body! {
    /// Fields that are left out do not change.
    pub struct UpdateUserRequest {
        /// For the user and, while the user belongs to no other organization, for admins and managers above the user.
        #[schema(value_type = Option<String>, min_length = 1, max_length = 201, example = "Alan M. Turing")]
        name: Option<PersonName>,
        /// For admins. To make an admin, the caller must have authenticated within the last fifteen minutes.
        role: Option<Role>,
        /// The user's new manager, or null for none. For admins.
        #[schema(value_type = Option<UserId>)]
        manager_id: Patch<UserId>,
        /// True disables the account and ends its sessions and API tokens, false enables it again. For admins, and
        /// only while the user belongs to no other organization.
        #[schema(example = true)]
        disabled: Option<bool>,
    }
}

/// Update a user
///
/// All changes or none. A new role applies from the next request. The last admin must stay one.
#[utoipa::path(
    patch,
    path = "/api/users/{id}",
    tag = "Users",
    security(("bearer" = [])),
    params(("id" = UserId, Path, description = "The user's id.")),
    request_body = UpdateUserRequest,
    responses((status = 200, description = "The updated user.", body = Person)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, LastAdmin, MemberElsewhere, ReauthenticationRequired,
        UserNotFound]))),
)]
pub(crate) async fn update_user(
    services: Data<Services>,
    caller: MemberCaller,
    id: Path<String>,
    Valid(body): Valid<UpdateUserRequest>,
) -> Result<Json<Person>, ApiError> {
    let id = id.parse().map_err(|_| UserNotFound)?;
    let update = UpdatePerson {
        name: body.name,
        role: body.role,
        manager_id: body.manager_id.into_change(),
        disabled: body.disabled,
    };
    let person = service::update_person(&services, &caller, id, update).await?;
    Ok(Json(person.into()))
}
