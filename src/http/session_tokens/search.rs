//! `POST /api/v1/search`

use std::collections::BTreeMap;

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::carrier::OpenSession;
use super::field::{Offset, Size};
use crate::domain::violation::ValidationError;
use crate::domain::{Role, UserId};
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{CrossSiteRequest, NoOrganization, SessionLocked};
use crate::http::field::FromText;
use crate::service::session_tokens::{self, Search};
use crate::service::{MemberCaller, Person, Services};

body! {
    pub struct SearchRequest {
        /// How many results to skip.
        #[schema(value_type = u32, example = 0)]
        from: Offset,
        /// How many results to return, 1–100.
        #[schema(value_type = u32, minimum = 1, maximum = 100, example = 20)]
        size: Size,
        /// Part of a name or an e-mail address, at most 100 characters; everyone by default.
        #[schema(value_type = Option<String>, max_length = 100, example = "ada")]
        query: Option<Words>,
    }
}

/// The text to search for.
pub(crate) struct Words(String);

impl FromText for Words {
    fn from_text(text: String) -> Result<Self, ValidationError> {
        if text.chars().count() > 100 {
            let advice = "Please use at most 100 characters.";
            return Err(ValidationError::new("too_long", advice));
        }
        Ok(Self(text))
    }
}

/// The matching users the caller may see.
#[derive(Serialize, ToSchema)]
pub(crate) struct SearchResults {
    /// As requested.
    #[schema(example = 0)]
    from: u32,
    /// The number of all matches.
    #[schema(example = 1)]
    total: i64,
    /// Their ids, ordered by name.
    results: Vec<UserId>,
    /// The users by id.
    users: BTreeMap<String, FoundUser>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FoundUser {
    id: UserId,
    #[schema(required, format = "email", example = "ada@example.com")]
    email: Option<String>,
    #[schema(example = "Ada Lovelace")]
    name: String,
    role: Role,
}

impl From<Person> for FoundUser {
    fn from(
        Person {
            user, membership, ..
        }: Person,
    ) -> Self {
        Self {
            id: user.id,
            email: user.email.map(|email| email.to_string()),
            name: user.name.to_string(),
            role: membership.role,
        }
    }
}

/// Search users
///
/// Employees find themselves, managers also their direct and indirect reports, admins everyone in the organization.
#[utoipa::path(
    post,
    path = "/api/v1/search",
    tag = "Session tokens",
    params(("token" = Option<String>, Query,
        description = "The session token, if it is sent neither as Bearer nor in the cookie.")),
    security(("sessionToken" = []), ("sessionTokenBearer" = []), ("sessionTokenCookie" = [])),
    request_body = SearchRequest,
    responses((status = 200, description = "The matching users.", body = SearchResults)),
    extensions(("x-error-codes" = json!([SessionLocked, NoOrganization, CrossSiteRequest]))),
)]
pub(crate) async fn search(
    services: Data<Services>,
    OpenSession(caller): OpenSession,
    Valid(body): Valid<SearchRequest>,
) -> Result<Json<SearchResults>, ApiError> {
    let search = Search {
        text: body.query.map(|Words(words)| words),
        from: body.from.0,
        size: body.size.0,
    };
    let caller = MemberCaller::try_from(caller)?;
    let found = session_tokens::search(&services, &caller, search).await?;
    let results = found.people.iter().map(|person| person.user.id).collect();
    let by_id = |person: Person| (person.user.id.to_string(), person.into());
    Ok(Json(SearchResults {
        from: body.from.0,
        total: found.total,
        results,
        users: found.people.into_iter().map(by_id).collect(),
    }))
}
