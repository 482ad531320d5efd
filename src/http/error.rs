//! The conversion of errors to responses.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use super::error_code::ErrorCode;
use super::rate_limit_header::{ATTEMPTS, RATE_LIMIT, RATE_LIMIT_POLICY, left, of_group};
use crate::domain::{OrganizationId, OrganizationSummary, SignInFailure, Violation};
use crate::service;
use crate::service::limits::Group;

/// An error on its way to the client.
#[derive(Debug)]
#[expect(
    unnameable_types,
    reason = "extractors and handlers answer with it, and only this folder makes one"
)]
pub struct ApiError {
    code: ErrorCode,
    details: Vec<Violation>,
    /// Those that the caller must give another admin first.
    organizations: Vec<OrganizationSummary>,
    /// For the log; clients never see it.
    cause: Option<String>,
    /// Seconds, where more is known than the code implies.
    retry_after: Option<u32>,
    /// The bucket that is empty.
    group: Option<Group>,
    /// Instead of the code's message, where the same code needs another one.
    message: Option<&'static str>,
    /// Whether Basic authentication would do too.
    offers_basic: bool,
}

/// What a service may answer in place of its key as Bearer (RFC 7617).
const BASIC: &str = "Basic realm=\"Hallpass\", charset=\"UTF-8\"";

/// The message of `email_not_verified` for inviters.
const INVITER_NOT_VERIFIED: &str =
    "Verify your e-mail address first: POST /api/auth/resend-verification";

/// The messages of `registration_closed` for those who may not create an organization.
const CREATED_BY_DOMAIN: &str =
    "Creating an organization requires a verified e-mail address at an allowed domain";
const CREATED_BY_OPERATOR: &str =
    "Only the people who run this service create organizations: ask them";

impl ApiError {
    pub fn internal(cause: impl Into<String>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..ErrorCode::InternalError.into()
        }
    }

    /// An error that ends after this many seconds.
    pub fn retry_after(code: ErrorCode, seconds: u32) -> Self {
        Self {
            retry_after: Some(seconds),
            ..code.into()
        }
    }

    /// The refusal of a bucket that has one permit again after this many seconds.
    pub fn too_many_requests(group: Group, seconds: u32) -> Self {
        Self {
            group: Some(group),
            ..Self::retry_after(ErrorCode::TooManyRequests, seconds)
        }
    }

    /// A 401 of this error also asks for Basic authentication.
    pub fn answered_by_basic_too(self) -> Self {
        Self {
            offers_basic: true,
            ..self
        }
    }

    /// # Errors
    /// The validation error that lists `faults`, if there are any.
    pub fn unless_none(faults: Vec<Violation>) -> Result<(), Self> {
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults.into())
        }
    }

    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The messages for the faulty fields.
    pub fn messages(&self) -> impl Iterator<Item = &str> {
        self.details.iter().map(|fault| fault.message.as_ref())
    }

    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        Self {
            code,
            details: Vec::new(),
            organizations: Vec::new(),
            cause: None,
            retry_after: None,
            group: None,
            message: None,
            offers_basic: false,
        }
    }
}

/// Validation faults, at least one.
impl From<Vec<Violation>> for ApiError {
    fn from(details: Vec<Violation>) -> Self {
        Self {
            details,
            ..ErrorCode::ValidationFailed.into()
        }
    }
}

impl From<service::Error> for ApiError {
    fn from(error: service::Error) -> Self {
        use service::Error;

        let cause = error.to_string();
        let code = match error {
            Error::Invalid(faults) => return faults.into(),
            Error::InvalidCredentials => ErrorCode::InvalidCredentials,
            Error::TooManyAttempts { retry_after } => {
                return Self::retry_after(ErrorCode::TooManyAttempts, retry_after);
            }
            Error::TooManyRequests { group, retry_after } => {
                return Self::too_many_requests(group, retry_after);
            }
            Error::InvalidToken => ErrorCode::InvalidToken,
            Error::TokenExpired => ErrorCode::TokenExpired,
            Error::TokenRevoked => ErrorCode::TokenRevoked,
            Error::InvalidOrExpiredToken => ErrorCode::InvalidOrExpiredToken,
            Error::Forbidden => ErrorCode::Forbidden,
            Error::NoOrganization => ErrorCode::NoOrganization,
            Error::ReauthenticationRequired => ErrorCode::ReauthenticationRequired,
            Error::SessionTooOld => ErrorCode::SessionTooOld,
            Error::EmailNotVerified => ErrorCode::EmailNotVerified,
            Error::InviterNotVerified => {
                return Self {
                    message: Some(INVITER_NOT_VERIFIED),
                    ..ErrorCode::EmailNotVerified.into()
                };
            }
            Error::InvitationRequired => ErrorCode::InvitationRequired,
            Error::RegistrationClosed => ErrorCode::RegistrationClosed,
            Error::OrganizationCreationClosed { by_domain } => {
                return Self {
                    message: Some(if by_domain {
                        CREATED_BY_DOMAIN
                    } else {
                        CREATED_BY_OPERATOR
                    }),
                    ..ErrorCode::RegistrationClosed.into()
                };
            }
            Error::InvalidCode => ErrorCode::InvalidCode,
            Error::AuthenticatorUnusable => ErrorCode::AuthenticatorUnusable,
            Error::SecondFactorRequired => ErrorCode::SecondFactorRequired,
            Error::MfaEnrolmentRequired => ErrorCode::MfaEnrolmentRequired,
            Error::MfaAlreadyEnabled => ErrorCode::MfaAlreadyEnabled,
            Error::MfaNotEnrolled => ErrorCode::MfaNotEnrolled,
            Error::MfaRequired => ErrorCode::MfaRequired,
            Error::OrganizationNotFound => ErrorCode::OrganizationNotFound,
            Error::SessionNotFound => ErrorCode::SessionNotFound,
            Error::UserNotFound => ErrorCode::UserNotFound,
            Error::InvitationNotFound => ErrorCode::InvitationNotFound,
            Error::InvitationNotYours => ErrorCode::InvitationNotYours,
            Error::AlreadyMember => ErrorCode::AlreadyMember,
            Error::OrganizationClosed => ErrorCode::OrganizationClosed,
            Error::PasswordAlreadySet => ErrorCode::PasswordAlreadySet,
            Error::IdentityNotFound => ErrorCode::IdentityNotFound,
            Error::LastWayIn => ErrorCode::LastWayIn,
            Error::ApiTokenNotFound => ErrorCode::ApiTokenNotFound,
            Error::TooManyApiTokens => ErrorCode::TooManyApiTokens,
            Error::LastAdmin => ErrorCode::LastAdmin,
            Error::LastAdminOf(organizations) => {
                return Self {
                    organizations,
                    ..ErrorCode::LastAdmin.into()
                };
            }
            Error::MemberElsewhere => ErrorCode::MemberElsewhere,
            Error::EmailTaken => ErrorCode::EmailTaken,
            Error::SlugTaken => ErrorCode::SlugTaken,
            Error::TooManySlugs => ErrorCode::TooManySlugs,
            Error::TooManyOrganizations => ErrorCode::TooManyOrganizations,
            Error::JoinLinkNotFound => ErrorCode::JoinLinkNotFound,
            Error::TooManyJoinLinks => ErrorCode::TooManyJoinLinks,
            Error::WebhookNotFound => ErrorCode::WebhookNotFound,
            Error::TooManyWebhooks => ErrorCode::TooManyWebhooks,
            Error::WebhookSwitchedOff => ErrorCode::WebhookSwitchedOff,
            Error::SlackNotSetUp => ErrorCode::SlackNotSetUp,
            Error::SignIn(failure) => failure.into(),
            Error::Busy(_) | Error::Conflict => ErrorCode::Busy,
            Error::Unavailable(_) => ErrorCode::Unavailable,
            Error::Import(_) | Error::Internal(_) => ErrorCode::InternalError,
        };
        Self {
            cause: code.status().is_server_error().then_some(cause),
            ..code.into()
        }
    }
}

impl From<SignInFailure> for ErrorCode {
    fn from(failure: SignInFailure) -> Self {
        match failure {
            SignInFailure::AccessDenied => Self::AccessDenied,
            SignInFailure::SlackUnavailable => Self::SlackUnavailable,
            SignInFailure::SlackMisconfigured => Self::SlackMisconfigured,
            SignInFailure::AccountExists => Self::AccountExists,
            SignInFailure::SignInExpired => Self::SignInExpired,
            SignInFailure::NotAllowed => Self::NotAllowed,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())
    }
}

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Problem {
    /// The HTTP status.
    #[schema(example = 401)]
    pub status_code: u16,
    /// What happened, for people.
    #[schema(example = "Token expired")]
    pub message: &'static str,
    /// The status in words.
    #[schema(example = "Unauthorized")]
    pub error: &'static str,
    /// Only with `Validation failed`: all faulty fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub details: Vec<FieldFault>,
    /// Only with `last_admin` where the caller deletes their account: the organizations that need another admin first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub organizations: Vec<NamedOrganization>,
}

/// An organization by its name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NamedOrganization {
    pub id: OrganizationId,
    #[schema(example = "Analytical Engines")]
    pub name: String,
}

/// One fault of one field.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FieldFault {
    /// The field's JSON name.
    #[schema(example = "email")]
    pub field: String,
    /// A stable machine-readable code.
    #[schema(example = "invalid_email")]
    pub code: &'static str,
    /// How to correct it, for people.
    #[schema(example = "Please enter an e-mail address such as ada@example.com.")]
    pub message: String,
}

impl ApiError {
    fn problem(&self) -> Problem {
        let detail = |fault: &Violation| FieldFault {
            field: fault.field.to_string(),
            code: fault.code,
            message: fault.message.to_string(),
        };
        Problem {
            status_code: self.code.status().as_u16(),
            message: self.message.unwrap_or(self.code.message()),
            error: self.code.reason(),
            details: self.details.iter().map(detail).collect(),
            organizations: self
                .organizations
                .iter()
                .map(|it| NamedOrganization {
                    id: it.id,
                    name: it.name.to_string(),
                })
                .collect(),
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.code.status());
        response.insert_header(("x-error-code", HeaderValue::from_static(self.code.as_str())));
        if let Some(challenge) = self.code.challenge() {
            response.insert_header((
                WWW_AUTHENTICATE,
                HeaderValue::from_static(challenge.as_str()),
            ));
            if self.offers_basic {
                response.append_header((WWW_AUTHENTICATE, HeaderValue::from_static(BASIC)));
            }
        }
        if let Some(seconds) = self.retry_after.or(self.code.retry_after()) {
            response.insert_header((RETRY_AFTER, HeaderValue::from(seconds)));
            if self.code == ErrorCode::TooManyAttempts
                && let Some(none) = left("attempts", 0, seconds)
            {
                response.insert_header((RATE_LIMIT, none));
                response.insert_header((RATE_LIMIT_POLICY, ATTEMPTS));
            }
            if let Some(group) = self.group {
                for header in of_group(group, 0, seconds).into_iter().flatten() {
                    response.insert_header(header);
                }
            }
        }
        if matches!(
            self.code,
            ErrorCode::RequestTimeout | ErrorCode::BodyTooLarge | ErrorCode::HeadTooLarge
        ) {
            // The rest of the request may be endless.
            response.force_close();
        }
        response.json(self.problem())
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;

    async fn body(error: &ApiError) -> String {
        let bytes = to_bytes(error.error_response().into_body()).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[actix_web::test]
    async fn an_error_body_has_status_message_and_reason_only() {
        assert_eq!(
            body(&ErrorCode::TokenExpired.into()).await,
            r#"{"statusCode":401,"message":"Token expired","error":"Unauthorized"}"#
        );
    }

    #[actix_web::test]
    async fn a_validation_error_lists_its_fields() {
        let error = ApiError::from(service::Error::from(Violation::new(
            "email", "taken", "No.",
        )));
        assert_eq!(
            body(&error).await,
            r#"{"statusCode":400,"message":"Validation failed","error":"Bad Request","details":[{"field":"email","code":"taken","message":"No."}]}"#
        );
    }

    #[actix_web::test]
    async fn a_cause_goes_to_the_log_and_not_to_the_client() {
        let error = ApiError::from(service::Error::Unavailable("10.0.0.7 refused".into()));
        assert!(error.cause().unwrap().contains("10.0.0.7"));
        assert!(!body(&error).await.contains("10.0.0.7"));
        let response = error.error_response();
        assert_eq!(response.headers().get("retry-after").unwrap(), "5");
    }

    #[test]
    fn too_many_attempts_say_how_long_to_wait() {
        let error = ApiError::from(service::Error::TooManyAttempts { retry_after: 61 });
        let response = error.error_response();
        assert_eq!(response.status(), 429);
        let header = |name| response.headers().get(name).unwrap();
        assert_eq!(header("retry-after"), "61");
        assert_eq!(header("ratelimit"), "\"attempts\";r=0;t=61");
    }

    #[test]
    fn client_errors_have_no_cause_to_log() {
        assert_eq!(ApiError::from(service::Error::EmailTaken).cause(), None);
    }
}
