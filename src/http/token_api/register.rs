//! `POST /api/auth/register`

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use super::signed_in::SignIn;
use super::user::User;
use crate::domain::names::GivenOrFamilyName;
use crate::domain::{Email, OrganizationId, OrganizationName, PersonName, UserId, Violation};
use crate::http::body::{Body, Fields, Valid};
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    EmailTaken, InvalidOrExpiredToken, InvitationNotYours, InvitationRequired, OrganizationClosed,
    OrganizationNotFound, RegistrationClosed,
};
use crate::http::field::{OrBlank, Password};
use crate::service::invitations::{self, RegisterInvited};
use crate::service::{self, Joined, RequestContext, Services};

const CREATED: &str =
    "Account created successfully. Please check your email to verify your account.";

/// Joining, accepting an invitation and creating an organization share a URL; `organizationName` and
/// `invitationToken` tell them apart.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum RegisterRequest {
    Join(JoinRequest),
    Invited(InvitedRequest),
    Found(FoundRequest),
}

impl Body for RegisterRequest {
    fn from_fields(mut fields: Fields) -> Result<Self, ApiError> {
        if fields.contains("organizationName") {
            let in_parts = fields.is_filled("firstName") || fields.is_filled("lastName");
            match (fields.is_filled("name"), in_parts) {
                (false, false) => {
                    let why = "Please enter a first name, a last name, or a name.";
                    fields.refuse(Violation::new("firstName", "required", why));
                }
                (true, true) => {
                    let why = "Please send either a name, or a first and a last name.";
                    fields.refuse(Violation::new("name", "either_or", why));
                }
                (true, false) | (false, true) => {}
            }
            Body::from_fields(fields).map(Self::Found)
        } else if fields.contains("invitationToken") {
            Body::from_fields(fields).map(Self::Invited)
        } else {
            Body::from_fields(fields).map(Self::Join)
        }
    }
}

body! {
    /// Joins an organization.
    pub struct JoinRequest {
        #[schema(value_type = String, format = "email", max_length = 254, example = "bob@example.com")]
        email: Email,
        /// At least 8 characters, unless the operator set another minimum, and not a common password.
        #[schema(value_type = String, format = "password", min_length = 1, max_length = 100,
            example = "correct horse battery staple")]
        password: Password,
        #[schema(value_type = String, min_length = 1, max_length = 201, example = "Bob Byte")]
        name: PersonName,
        organization_id: OrganizationId,
    }
}

body! {
    /// Joins the organization of the invitation.
    pub struct InvitedRequest {
        /// The invited address.
        #[schema(value_type = String, format = "email", max_length = 254, example = "bob@example.com")]
        email: Email,
        /// At least 8 characters, unless the operator set another minimum, and not a common password.
        #[schema(value_type = String, format = "password", min_length = 1, max_length = 100,
            example = "correct horse battery staple")]
        password: Password,
        #[schema(value_type = String, min_length = 1, max_length = 201, example = "Bob Byte")]
        name: PersonName,
        /// The token of the e-mail link.
        #[schema(example = "u8H1VYkQ3mLw9TtR5nYc1JhF8bGd2SaEk7Qv0ZpX3mA")]
        invitation_token: String,
    }
}

body! {
    /// Creates an organization with the user as its admin. One name is enough: `firstName`, `lastName` or both, or `name`
    /// instead.
    pub struct FoundRequest {
        #[schema(value_type = String, min_length = 2, max_length = 255, example = "Analytical Engines")]
        organization_name: OrganizationName,
        #[schema(value_type = Option<String>, max_length = 100, example = "Ada")]
        first_name: OrBlank<GivenOrFamilyName>,
        #[schema(value_type = Option<String>, max_length = 100, example = "Lovelace")]
        last_name: OrBlank<GivenOrFamilyName>,
        /// The whole name, for those who do not ask for its parts.
        #[schema(value_type = Option<String>, max_length = 201)]
        name: OrBlank<PersonName>,
        #[schema(value_type = String, format = "email", max_length = 254, example = "ada@example.com")]
        email: Email,
        /// At least 8 characters, unless the operator set another minimum, and not a common password.
        #[schema(value_type = String, format = "password", min_length = 1, max_length = 100,
            example = "correct horse battery staple")]
        password: Password,
    }
}

/// Joining returns the login answer, creating an organization does not.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Registered {
    Joined(SignIn),
    RegisteredOrganization(RegisteredOrganization),
    Unverified(Unverified),
}

/// With `REQUIRE_VERIFIED_EMAIL`: a new member of an organization, who can sign in after verifying the address.
#[derive(Serialize, ToSchema)]
pub(crate) struct Unverified {
    #[schema(example = true)]
    success: bool,
    #[schema(
        example = "Account created successfully. Please check your email to verify your account."
    )]
    message: &'static str,
    user: User,
}

/// A new organization and its creator, who signs in next.
#[derive(Serialize, ToSchema)]
#[schema(as = Founded)]
pub(crate) struct RegisteredOrganization {
    #[schema(example = true)]
    success: bool,
    #[schema(
        example = "Account created successfully. Please check your email to verify your account."
    )]
    message: &'static str,
    user: Founder,
    organization: FoundedOrganization,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Founder {
    id: UserId,
    #[schema(format = "email", example = "ada@example.com")]
    email: String,
    /// The whole name, if only `name` was sent.
    #[schema(example = "Ada")]
    first_name: String,
    /// Empty if none was sent.
    #[schema(example = "Lovelace")]
    last_name: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct FoundedOrganization {
    id: OrganizationId,
    #[schema(example = "Analytical Engines")]
    name: String,
    #[schema(example = "analytical-engines")]
    slug: String,
}

/// Register
///
/// Joins an organization (`organizationId`) as an employee, accepts an invitation (`invitationToken`), or creates an
/// organization (`organizationName`) as its admin. Joining signs in, unless the address must be verified first, or
/// requires enrolling a second factor if the organization does; the creator of an organization signs in afterwards.
/// An e-mail asks to verify the address. If the join policy is `domain`, an address in an allowed domain is refused
/// as well, and gets an invitation by e-mail; the same applies where the operator opens registration to domains.
/// `GET /api/auth/options` says what is open.
#[utoipa::path(
    post,
    path = "/api/auth/register",
    tag = "Signing in",
    request_body = RegisterRequest,
    responses((status = 201, description = "Registered.", body = Registered)),
    extensions(("x-error-codes" = json!([EmailTaken, InvitationRequired, OrganizationNotFound, InvalidOrExpiredToken,
        InvitationNotYours, OrganizationClosed, RegistrationClosed]))),
)]
pub(crate) async fn register(
    services: Data<Services>,
    context: RequestContext,
    Valid(body): Valid<RegisterRequest>,
) -> Result<HttpResponse, ApiError> {
    let registered = match body {
        RegisterRequest::Join(body) => join(&services, &context, body).await?,
        RegisterRequest::Invited(body) => {
            Registered::Joined(accept(&services, &context, body).await?)
        }
        RegisterRequest::Found(body) => {
            Registered::RegisteredOrganization(found(&services, &context, body).await?)
        }
    };
    Ok(HttpResponse::Created().json(registered))
}

async fn join(
    services: &Services,
    context: &RequestContext,
    body: JoinRequest,
) -> Result<Registered, ApiError> {
    let join = service::RegisterIntoOrganization {
        email: body.email,
        password: body.password.expose(),
        name: body.name,
        organization_id: body.organization_id,
    };
    Ok(
        match service::register_into_organization(services, context, join).await? {
            Joined::SignIn(sign_in) => Registered::Joined(sign_in.into()),
            Joined::Unverified(profile) => Registered::Unverified(Unverified {
                success: true,
                message: CREATED,
                user: profile.into(),
            }),
        },
    )
}

async fn accept(
    services: &Services,
    context: &RequestContext,
    body: InvitedRequest,
) -> Result<SignIn, ApiError> {
    let register = RegisterInvited {
        email: body.email,
        password: body.password.expose(),
        name: body.name,
        token: &body.invitation_token,
    };
    let sign_in = invitations::register(services, context, register).await?;
    Ok(sign_in.into())
}

async fn found(
    services: &Services,
    context: &RequestContext,
    body: FoundRequest,
) -> Result<RegisteredOrganization, ApiError> {
    let (first_name, last_name) = (body.first_name.0, body.last_name.0);
    let name = body.name.0;
    let name = name.or_else(|| PersonName::join(first_name.as_ref(), last_name.as_ref()));
    let name = name.ok_or_else(|| ApiError::internal("a founder without a name"))?;
    let shown = |name: Option<&GivenOrFamilyName>| name.map(ToString::to_string);
    let (first_shown, last_shown) = (shown(first_name.as_ref()), shown(last_name.as_ref()));
    let first_shown = match (first_shown, &last_shown) {
        (None, None) => name.to_string(),
        (first, _) => first.unwrap_or_default(),
    };
    let found = service::RegisterOrganization {
        organization_name: body.organization_name,
        name,
        first_name,
        last_name,
        email: body.email.clone(),
        password: body.password.expose(),
    };
    let founded = service::register_organization(services, context, found).await?;
    Ok(RegisteredOrganization {
        success: true,
        message: CREATED,
        user: Founder {
            id: founded.user.id,
            email: body.email.to_string(),
            first_name: first_shown,
            last_name: last_shown.unwrap_or_default(),
        },
        organization: FoundedOrganization {
            id: founded.organization.id,
            name: founded.organization.name.to_string(),
            slug: founded.organization.slug.as_str().to_owned(),
        },
    })
}
