//! `GET /api/users`

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::person::Person;
use crate::domain::UserId;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{NoOrganization, ValidationFailed};
use crate::http::paging::{cursor, page_request};
use crate::http::query::{Query, searchable};
use crate::service::{self, MemberCaller, Services};

/// Characters.
const MAX_TEXT: usize = 100;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct People {
    /// Oldest account first.
    users: Vec<Person>,
    /// For `cursor`; null on the last page.
    #[schema(required, example = "AZqfLl0bSiCcPWSx4PeowA")]
    next_cursor: Option<String>,
}

/// List visible users
///
/// Employees see themselves, managers also their direct and indirect reports, admins the whole organization.
#[utoipa::path(
    get,
    path = "/api/users",
    tag = "Users",
    security(("bearer" = [])),
    params(
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 100,
            description = "Users per page, 1 to 100; 100 by default."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page."),
        ("q" = Option<String>, Query, max_length = 100,
            description = "Matches name or e-mail address, case-insensitively; at most 100 characters."),
    ),
    responses((status = 200, description = "A page of users.", body = People)),
    extensions(("x-error-codes" = json!([NoOrganization, ValidationFailed]))),
)]
pub(crate) async fn list_users(
    services: Data<Services>,
    caller: MemberCaller,
    query: Query,
) -> Result<Json<People>, ApiError> {
    let query = query.unambiguous()?;
    let mut faults = Vec::new();
    let request = page_request(&query, &mut faults, UserId);
    let text = query.read("q", &mut faults, |text| searchable(text, MAX_TEXT));
    ApiError::unless_none(faults)?;
    let page = service::list_people(&services, &caller, text, request).await?;
    Ok(Json(People {
        users: page.items.into_iter().map(Person::from).collect(),
        next_cursor: page.next.map(|id| cursor(id.0)),
    }))
}
