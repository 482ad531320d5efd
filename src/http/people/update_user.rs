//! `PATCH /api/users/{id}`

use actix_web::web::{Data, Json, Path};

use super::person::Person;
use crate::domain::{PersonName, Role, UserId};
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, LastAdmin, MemberElsewhere, UserNotFound};
use crate::http::field::Patch;
use crate::service::{self, Caller, RequestContext, Services, UpdatePerson};

body! {
    /// What is left out stays.
    pub struct UpdateUserRequest {
        /// For admins, managers above the person, and the person.
        #[schema(value_type = Option<String>, min_length = 1, max_length = 201, example = "Alan M. Turing")]
        name: Option<PersonName>,
        /// For admins.
        role: Option<Role>,
        /// Whom the person reports to from now on, or null for nobody. For admins.
        #[schema(value_type = Option<UserId>)]
        manager_id: Patch<UserId>,
        /// True closes the account and ends its sessions and API tokens, false opens it again. For admins, and only while
        /// the person belongs to no other organization.
        #[schema(example = true)]
        disabled: Option<bool>,
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
    context: RequestContext,
    caller: Caller,
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
    let person = service::update_person(&services, &context, &caller, id, update).await?;
    Ok(Json(person.into()))
}
