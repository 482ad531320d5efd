//! Every error code a client can see, with its status, its text and what to do about it.

use actix_web::http::StatusCode;
use serde::{Serialize, Serializer};

/// What a 401 says in `WWW-Authenticate` (RFC 6750 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// No token was judged: `Bearer`.
    Plain,
    /// A token was sent and found bad: `Bearer error="invalid_token"`.
    InvalidToken,
}

impl Challenge {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "Bearer",
            Self::InvalidToken => "Bearer error=\"invalid_token\"",
        }
    }
}

macro_rules! error_codes {
    ($($name:ident $code:literal $status:ident $message:literal
        means $meaning:literal
        do_this $remedy:literal)+) => {
        /// The only list of error codes: `X-Error-Code`, `docs/ERRORS.md` and the OpenAPI document
        /// are made from it. Codes and messages are a promise to clients.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorCode {
            $(#[doc = $meaning] $name,)+
        }

        impl ErrorCode {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The value of `X-Error-Code`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// The `message` of the body.
            pub fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)+ }
            }

            /// What happened, in one sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)+ }
            }

            /// What the client should do.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)+ }
            }
        }
    };
}

error_codes! {
    ValidationFailed "validation_failed" BAD_REQUEST "Validation failed"
        means "Fields of the request body, or parameters of the query, are missing, unknown, or break a rule."
        do_this "Show `details` beside the fields it names; every faulty field is listed."
    MalformedRequest "malformed_request" BAD_REQUEST "Malformed request"
        means "The request cannot be read: its body is not a JSON object in UTF-8, or not whole."
        do_this "Send a JSON object; do not repeat the request unchanged."
    InvalidOrExpiredToken "invalid_or_expired_token" BAD_REQUEST "Invalid or expired token"
        means "The one-time token is unknown, used, expired, or for something else."
        do_this "Begin anew: sign in again, or ask for a new link."
    SignInExpired "sign_in_expired" BAD_REQUEST "Sign-in expired"
        means "The sign-in with Slack took too long, was finished before, or belongs to somebody else."
        do_this "Begin it again."
    AuthenticationRequired "authentication_required" UNAUTHORIZED "Authentication required"
        means "The request carries no credential."
        do_this "Sign in and send `Authorization: Bearer <accessToken>`."
    InvalidCredentials "invalid_credentials" UNAUTHORIZED "Invalid credentials"
        means "E-mail and password do not open an account. Unknown, wrong and disabled look the same."
        do_this "Ask the person for their e-mail address and password again."
    SecondFactorRequired "second_factor_required" UNAUTHORIZED "Second factor required"
        means "E-mail and password are right, and the person has a second factor."
        do_this "Ask for its code and send it with e-mail and password, as `code`."
    InvalidCode "invalid_code" UNAUTHORIZED "Invalid code"
        means "The code of the second factor is wrong, or was used before."
        do_this "Ask the person for the code that their authenticator shows now, or for a recovery code."
    InvalidToken "invalid_token" UNAUTHORIZED "Invalid token"
        means "The token was not made by this service, was altered, or its owner is gone."
        do_this "Forget the token and sign in again."
    TokenExpired "token_expired" UNAUTHORIZED "Token expired"
        means "The token was good, but its time is over."
        do_this "Sign in again; next time, refresh before `expiresIn` seconds have passed."
    TokenRevoked "token_revoked" UNAUTHORIZED "Token revoked"
        means "The session was ended: by a logout, a new password, or an administrator."
        do_this "Forget the token and sign in again."
    Forbidden "forbidden" FORBIDDEN "Forbidden"
        means "The caller is known, but not allowed to do this."
        do_this "Ask an administrator of the organization."
    CrossSiteRequest "cross_site_request" FORBIDDEN "Cross-site request refused"
        means "The request comes with a cookie, or wants one, from a page that is not allowed to send it."
        do_this "Call from our own origin or one of `CORS_ALLOWED_ORIGINS`, send the CSRF token beside its cookie, or use `Authorization`."
    SessionLocked "session_locked" FORBIDDEN "Session locked"
        means "The session waits for its second factor, and can only be unlocked or ended."
        do_this "Send the code to `/api/v1/unlock`."
    EmailNotVerified "email_not_verified" FORBIDDEN "Email not verified"
        means "The password was right, but the account's e-mail address is still to be verified."
        do_this "Ask the person to follow the link in their mail, or send another by `/api/auth/resend-verification`."
    InvitationRequired "invitation_required" FORBIDDEN "Invitation required"
        means "The organization takes in invited people only."
        do_this "Ask an administrator of the organization for an invitation."
    MfaEnrolmentRequired "mfa_enrolment_required" FORBIDDEN "MFA enrolment required"
        means "The organization lets in only those who have a second factor, and the caller has none."
        do_this "Enrol an authenticator at `/api/auth/mfa/totp`; the token works as soon as it is confirmed."
    InvitationNotYours "invitation_not_yours" FORBIDDEN "Invitation for another address"
        means "The account has another e-mail address than the one that was invited; the invitation stays good."
        do_this "Sign in to the account of the invited address, or register with it."
    AccessDenied "access_denied" FORBIDDEN "Access denied"
        means "The person did not agree at Slack."
        do_this "Offer to sign in again."
    NotAllowed "not_allowed" FORBIDDEN "Sign-in not allowed"
        means "Slack or this service keeps the person out: a guest, a bot, somebody deactivated, removed or of another workspace."
        do_this "Ask an administrator of the workspace or of the organization."
    NotFound "not_found" NOT_FOUND "Not Found"
        means "No route has this path."
        do_this "Compare the path with `/docs`."
    OrganizationNotFound "organization_not_found" NOT_FOUND "Organization not found"
        means "No organization has this id, or the caller does not belong to it."
        do_this "Check `organizationId`."
    SessionNotFound "session_not_found" NOT_FOUND "Session not found"
        means "The caller has no live session with this id."
        do_this "Load the list of sessions again."
    UserNotFound "user_not_found" NOT_FOUND "User not found"
        means "Nobody in the caller's organization has this id."
        do_this "Load the list of people again."
    InvitationNotFound "invitation_not_found" NOT_FOUND "Invitation not found"
        means "The organization has no open invitation with this id: it was accepted, revoked, or ran out."
        do_this "Load the list of invitations again."
    ApiTokenNotFound "api_token_not_found" NOT_FOUND "API token not found"
        means "The caller sees no API token with this id, or it was revoked."
        do_this "Load the list of API tokens again."
    ProviderNotFound "provider_not_found" NOT_FOUND "Provider not found"
        means "Nobody can sign in for a session cookie this way here: `/api/auth/providers` does not list it."
        do_this "Offer the ways that `/api/auth/providers` lists."
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED "Method Not Allowed"
        means "The path exists, but not for this method."
        do_this "Use one of the methods in the `Allow` header."
    RequestTimeout "request_timeout" REQUEST_TIMEOUT "Request Timeout"
        means "The body did not arrive within five seconds; the connection is closed."
        do_this "Try again on a new connection."
    EmailTaken "email_taken" CONFLICT "Email already registered"
        means "An account with this e-mail address exists."
        do_this "Offer to sign in instead."
    AccountExists "account_exists" CONFLICT "Account already exists"
        means "The e-mail address, or the identity at Slack, belongs to another account."
        do_this "Sign in to that account, then link Slack to it."
    MfaAlreadyEnabled "mfa_already_enabled" CONFLICT "MFA already enabled"
        means "The account has an authenticator."
        do_this "To replace it, send a `code` of the one in use."
    MfaNotEnrolled "mfa_not_enrolled" CONFLICT "MFA not enrolled"
        means "The account has no authenticator, or none that waits to be confirmed; who asks others for one needs one."
        do_this "Begin at `/api/auth/mfa/totp`."
    MfaRequired "mfa_required" CONFLICT "MFA required"
        means "One of the caller's organizations lets nobody be without a second factor."
        do_this "Replace the authenticator instead, or leave the organization."
    AlreadyMember "already_member" CONFLICT "Already a member"
        means "The person belongs to the organization already."
        do_this "Nothing; refresh with `organizationId` to speak for it."
    OrganizationClosed "organization_closed" CONFLICT "Organization closed"
        means "The organization takes in nobody, not even the invited."
        do_this "Ask an administrator of the organization to change its join policy."
    LastAdmin "last_admin" CONFLICT "The last admin must stay"
        means "Without this admin the organization would have none."
        do_this "Make somebody else an admin first."
    MemberElsewhere "member_elsewhere" CONFLICT "Member of another organization"
        means "The account cannot be disabled: it belongs to another organization as well."
        do_this "Remove the person from this organization instead."
    TooManyApiTokens "too_many_api_tokens" CONFLICT "Too many API tokens"
        means "The caller has a hundred live API tokens in this organization."
        do_this "Revoke those that nobody uses."
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE "Request body too large"
        means "The body is larger than 16 KiB; the connection is closed."
        do_this "Send less."
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "Unsupported Media Type"
        means "The body is not declared as JSON."
        do_this "Send `Content-Type: application/json`."
    TooManyAttempts "too_many_attempts" TOO_MANY_REQUESTS "Too many attempts"
        means "Passwords or codes were wrong too often; this one was not looked at. Accounts that exist and accounts that do not look the same."
        do_this "Try again after `Retry-After` seconds, or offer to reset the password."
    TooManyRequests "too_many_requests" TOO_MANY_REQUESTS "Too many requests"
        means "More was asked from this address than one may ask for; nothing was done."
        do_this "Try again after `Retry-After` seconds; `RateLimit` says what is left."
    HeadTooLarge "head_too_large" REQUEST_HEADER_FIELDS_TOO_LARGE "Request head too large"
        means "Path, query and header fields are together larger than 32 KiB; the connection is closed."
        do_this "Send less; look for cookies and proxies that add fields."
    InternalError "internal_error" INTERNAL_SERVER_ERROR "Internal Server Error"
        means "A fault of this service. Its log has the cause under the `X-Request-Id` of the answer."
        do_this "Report the request id to the operator."
    SlackMisconfigured "slack_misconfigured" INTERNAL_SERVER_ERROR "Slack misconfigured"
        means "Slack does not accept this service's settings. The log says what Slack complains of."
        do_this "Report it to the operator; trying again does not help."
    SlackNotSetUp "slack_not_set_up" NOT_IMPLEMENTED "Sign-in with Slack is not set up"
        means "The operator has given this service no application at Slack."
        do_this "Offer another way to sign in. Operators: set `SLACK_CLIENT_ID` and `SLACK_CLIENT_SECRET`."
    Busy "busy" SERVICE_UNAVAILABLE "Service busy"
        means "More work is waiting than can be done in time; nothing was done."
        do_this "Try again after `Retry-After` seconds."
    Unavailable "unavailable" SERVICE_UNAVAILABLE "Service unavailable"
        means "Something this service depends on does not answer. The credential was not judged."
        do_this "Try again after `Retry-After` seconds; keep the token."
    SlackUnavailable "slack_unavailable" SERVICE_UNAVAILABLE "Slack unavailable"
        means "Slack does not answer, or not as it should."
        do_this "Offer to sign in again in a while, or another way to sign in."
}

impl ErrorCode {
    /// The `error` of the body: the status in words.
    pub fn reason(self) -> &'static str {
        self.status().canonical_reason().unwrap_or("Error")
    }

    /// The `WWW-Authenticate` every 401 carries (RFC 9110 §15.5.2).
    pub fn challenge(self) -> Option<Challenge> {
        match self {
            Self::AuthenticationRequired
            | Self::InvalidCredentials
            | Self::InvalidCode
            | Self::SecondFactorRequired => Some(Challenge::Plain),
            Self::InvalidToken | Self::TokenExpired | Self::TokenRevoked => {
                Some(Challenge::InvalidToken)
            }
            _ => None,
        }
    }

    /// Seconds, for the `Retry-After` every 429 and 503 carries, where the error itself knows no better.
    pub fn retry_after(self) -> Option<u32> {
        match self {
            Self::TooManyAttempts => Some(900),
            Self::TooManyRequests => Some(60),
            Self::Busy => Some(1),
            Self::Unavailable | Self::SlackUnavailable => Some(5),
            _ => None,
        }
    }

    /// The code that says no more than a status does.
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Self::RequestTimeout,
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::TOO_MANY_REQUESTS => Self::TooManyRequests,
            status if status.is_server_error() => Self::InternalError,
            _ => Self::MalformedRequest,
        }
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fmt::Write as _;

    use super::*;
    use crate::http::generated;

    #[test]
    fn no_two_errors_share_a_code() {
        let codes: HashSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), ErrorCode::ALL.len());
        for code in codes {
            assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        }
    }

    #[test]
    fn no_two_errors_of_a_status_share_a_message() {
        let texts: HashSet<_> = ErrorCode::ALL
            .iter()
            .map(|code| (code.status(), code.message()))
            .collect();
        assert_eq!(texts.len(), ErrorCode::ALL.len());
    }

    #[test]
    fn exactly_the_401s_challenge_and_exactly_the_429s_and_503s_ask_to_retry() {
        for code in ErrorCode::ALL {
            assert_eq!(
                code.challenge().is_some(),
                code.status() == StatusCode::UNAUTHORIZED,
                "{code:?}"
            );
            assert_eq!(
                code.retry_after().is_some(),
                matches!(
                    code.status(),
                    StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
                ),
                "{code:?}"
            );
        }
    }

    #[test]
    fn a_wrong_password_is_no_invalid_token() {
        let challenge = |code: ErrorCode| code.challenge().map(Challenge::as_str);
        assert_eq!(challenge(ErrorCode::InvalidCredentials), Some("Bearer"));
        assert_eq!(challenge(ErrorCode::AuthenticationRequired), Some("Bearer"));
        assert_eq!(
            challenge(ErrorCode::TokenExpired),
            Some("Bearer error=\"invalid_token\"")
        );
    }

    #[test]
    fn the_texts_are_the_contracts() {
        let body = |code: ErrorCode| (code.status().as_u16(), code.message(), code.reason());
        assert_eq!(
            body(ErrorCode::InvalidCredentials),
            (401, "Invalid credentials", "Unauthorized")
        );
        assert_eq!(
            body(ErrorCode::EmailTaken),
            (409, "Email already registered", "Conflict")
        );
        assert_eq!(
            body(ErrorCode::InvitationRequired),
            (403, "Invitation required", "Forbidden")
        );
        assert_eq!(
            body(ErrorCode::OrganizationNotFound),
            (404, "Organization not found", "Not Found")
        );
    }

    #[test]
    fn the_page_of_errors_is_up_to_date() {
        let mut page = String::from(
            "# Errors\n\n\
             Generated from `src/http/error_code.rs`; `UPDATE_GENERATED=1 cargo test` writes it anew.\n\n\
             Every error is a JSON object and nothing else, with the code in a header:\n\n\
             ```http\n\
             HTTP/1.1 401 Unauthorized\n\
             X-Error-Code: token_expired\n\
             WWW-Authenticate: Bearer error=\"invalid_token\"\n\n\
             {\"statusCode\":401,\"message\":\"Token expired\",\"error\":\"Unauthorized\"}\n\
             ```\n\n\
             `validation_failed` alone adds `details`, one entry per faulty field: \
             `{\"field\":\"email\",\"code\":\"invalid_email\",\"message\":\"…\"}`. \
             A 401 carries `WWW-Authenticate`, a 405 `Allow`, a 429 or 503 `Retry-After`. \
             Decide by status and code; messages are for people. \
             Headers too large for the parser get a bare 431 before any of this applies.\n\n\
             | status | code | message | what happened | what to do |\n\
             |---|---|---|---|---|\n",
        );
        for code in ErrorCode::ALL {
            writeln!(
                page,
                "| {} | `{}` | {} | {} | {} |",
                code.status().as_u16(),
                code.as_str(),
                code.message(),
                code.meaning(),
                code.remedy()
            )
            .unwrap();
        }
        generated::assert_up_to_date("docs/ERRORS.md", &page);
    }
}
