//! Every error code a client can see, with its status, its text and what to do about it.

use actix_web::http::StatusCode;
use serde::{Serialize, Serializer};

/// What an error says in `WWW-Authenticate` (RFC 6750 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// No token was checked: `Bearer`.
    Plain,
    /// A token was sent and rejected: `Bearer error="invalid_token"`.
    InvalidToken,
    /// The token is valid, but its user must reauthenticate (RFC 9470 §3). Ours comes with a 403, because clients take
    /// a 401 for the end of the session.
    InsufficientAuthentication,
}

impl Challenge {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "Bearer",
            Self::InvalidToken => "Bearer error=\"invalid_token\"",
            Self::InsufficientAuthentication => {
                "Bearer error=\"insufficient_user_authentication\", max_age=\"900\""
            }
        }
    }
}

macro_rules! error_codes {
    ($($name:ident $code:literal $status:ident $message:literal
        means $meaning:literal
        do_this $remedy:literal)+) => {
        /// The only list of error codes: `X-Error-Code`, `docs/ERRORS.md` and the OpenAPI document are made from it.
        /// Codes and messages are part of the contract with clients.
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
        do_this "Show each of `details` next to its field; every faulty field is listed."
    MalformedRequest "malformed_request" BAD_REQUEST "Malformed request"
        means "The request cannot be read: its body is not a JSON object in UTF-8, or it is incomplete."
        do_this "Send a JSON object; do not repeat the request unchanged."
    InvalidOrExpiredToken "invalid_or_expired_token" BAD_REQUEST "Invalid or expired token"
        means "The one-time token is unknown, used, expired, or for another purpose."
        do_this "Start again: sign in again, or request a new link."
    SignInExpired "sign_in_expired" BAD_REQUEST "Sign-in expired"
        means "The sign-in with Slack took too long, was already completed, or belongs to another browser or user."
        do_this "Start the sign-in again."
    AuthenticationRequired "authentication_required" UNAUTHORIZED "Authentication required"
        means "The request has no credential."
        do_this "Sign in and send `Authorization: Bearer <accessToken>`."
    InvalidCredentials "invalid_credentials" UNAUTHORIZED "Invalid credentials"
        means "E-mail address or password is wrong. An unknown address, a wrong password and a \
            disabled account give the same error."
        do_this "Ask the user for e-mail address and password again."
    SecondFactorRequired "second_factor_required" UNAUTHORIZED "Second factor required"
        means "E-mail address and password are right, and the account has a second factor."
        do_this "Ask for its code and send it as `code` together with e-mail address and password."
    InvalidCode "invalid_code" UNAUTHORIZED "Invalid code"
        means "The code of the second factor is wrong, or was already used."
        do_this "Ask the user for the current code of the authenticator, or for a recovery code."
    InvalidToken "invalid_token" UNAUTHORIZED "Invalid token"
        means "The token was not issued by this service, was altered, or its user no longer exists."
        do_this "Discard the token and sign in again."
    TokenExpired "token_expired" UNAUTHORIZED "Token expired"
        means "The token was valid, but has expired."
        do_this "Sign in again; next time, refresh the token before `expiresIn` seconds have passed."
    TokenRevoked "token_revoked" UNAUTHORIZED "Token revoked"
        means "The session was ended: by a logout, a password change, or an administrator."
        do_this "Discard the token and sign in again."
    Forbidden "forbidden" FORBIDDEN "Forbidden"
        means "The caller is authenticated, but not allowed to do this."
        do_this "Ask an administrator of the organization."
    NoOrganization "no_organization" FORBIDDEN
        "No organization: accept an invitation, join or create one, then refresh the token"
        means "The caller belongs to no organization, or the token is for none, and the call needs one."
        do_this "Offer to accept an invitation, or to join or create an organization; then refresh the token."
    ReauthenticationRequired "reauthentication_required" FORBIDDEN
        "Reauthentication required: please confirm your password or code"
        means "The user last proved who they are more than fifteen minutes ago, too long for a change that stays."
        do_this "Ask for the password, or for the authenticator's code if there is one, send it to \
            `/api/auth/reauthenticate`, or begin at `/api/auth/slack/reauthenticate`, and repeat the request."
    SessionTooOld "session_too_old" FORBIDDEN "Session too old for the organization: please sign in again"
        means "The session began longer ago than the organization's `sessionLifetime`. It stays valid for its own."
        do_this "Keep the token, and offer to sign in again with this `organizationId`."
    CrossSiteRequest "cross_site_request" FORBIDDEN "Cross-site request refused"
        means "The request has a cookie, or asks for one, and comes from a page that is not allowed to send it."
        do_this "Call from our own origin or one of `CORS_ALLOWED_ORIGINS`, send the CSRF token \
            with its cookie, or use `Authorization`."
    SessionLocked "session_locked" FORBIDDEN "Session locked"
        means "The session needs its second factor, and can only be unlocked or ended."
        do_this "Send the code to `/api/v1/unlock`."
    EmailNotVerified "email_not_verified" FORBIDDEN "Email not verified"
        means "The account's e-mail address is not verified yet, which a sign-in with a password (after the right \
            one) or an invitation requires."
        do_this "Ask the user to open the link in the verification e-mail, or send another with \
            `/api/auth/resend-verification`."
    InvitationRequired "invitation_required" FORBIDDEN "Invitation required"
        means "Only invited users can join the organization."
        do_this "Ask an administrator of the organization for an invitation."
    RegistrationClosed "registration_closed" FORBIDDEN
        "Registration is not open to everyone: ask the people who run this service"
        means "The operator's settings do not let these people create an account or an organization."
        do_this "Offer what `GET /api/auth/options` says is open. With `domain`, look for an invitation by e-mail, or \
            verify an address at an allowed domain. Otherwise ask the people who run the service."
    MfaEnrolmentRequired "mfa_enrolment_required" FORBIDDEN "MFA enrolment required"
        means "The organization requires a second factor, and the caller has none."
        do_this "Enrol an authenticator at `/api/auth/mfa/totp`; the token works as soon as it is confirmed."
    AuthenticatorUnusable "authenticator_unusable" FORBIDDEN
        "Authenticator unusable: use a recovery code, or ask the people who run this service to reset the second factor"
        means "The codes of the authenticator cannot be checked, because the service has lost the key to its secret."
        do_this "Ask for a recovery code, which still works, and enrol the authenticator again at \
            `/api/auth/mfa/totp`: within fifteen minutes of the sign-in without a code, later with a recovery code. \
            Operators: `hallpass user reset-mfa`."
    InvitationNotYours "invitation_not_yours" FORBIDDEN "Invitation for another address"
        means "The account's e-mail address is not the invited one; the invitation stays valid."
        do_this "Sign in to the account of the invited address, or register with it."
    AccessDenied "access_denied" FORBIDDEN "Access denied"
        means "The user declined at Slack."
        do_this "Offer to sign in again."
    NotAllowed "not_allowed" FORBIDDEN "Sign-in not allowed"
        means "The Slack user may not sign in: a guest, a bot, or a user who is deactivated, removed or of \
            another workspace; not a member of the tenant; or not let in by the operator's settings or the \
            organization's join policy."
        do_this "Ask an administrator of the workspace or of the organization."
    NotFound "not_found" NOT_FOUND "Not Found"
        means "No route has this path."
        do_this "Check the path against `/docs`."
    OrganizationNotFound "organization_not_found" NOT_FOUND "Organization not found"
        means "No organization has this id or slug, or the caller does not belong to it."
        do_this "Check `organizationId`, `tenant` or `slug`."
    SessionNotFound "session_not_found" NOT_FOUND "Session not found"
        means "The caller has no active session with this id."
        do_this "Load the list of sessions again."
    UserNotFound "user_not_found" NOT_FOUND "User not found"
        means "No user of the caller's organization has this id."
        do_this "Load the list of users again."
    InvitationNotFound "invitation_not_found" NOT_FOUND "Invitation not found"
        means "There is no open invitation with this id: it was accepted, declined or revoked, has expired, or is for \
            another address."
        do_this "Load the list of invitations again."
    ApiTokenNotFound "api_token_not_found" NOT_FOUND "API token not found"
        means "No API token the caller may see has this id, or it was revoked."
        do_this "Load the list of API tokens again."
    IdentityNotFound "identity_not_found" NOT_FOUND "Identity not found"
        means "The caller's account is linked to no identity with this id."
        do_this "Load `/api/auth/account` again."
    JoinLinkNotFound "join_link_not_found" NOT_FOUND "Join link not found"
        means "The organization has no join link with this id: it was revoked, expired, or ended with its maker's role."
        do_this "Load the list of join links again."
    WebhookNotFound "webhook_not_found" NOT_FOUND "Webhook not found"
        means "The organization has no webhook with this id: it was deleted, or ended with its owner's role."
        do_this "Load the list of webhooks again."
    ProviderNotFound "provider_not_found" NOT_FOUND "Provider not found"
        means "This way to sign in is not available: `/api/auth/providers` does not list it."
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
    SlugTaken "slug_taken" CONFLICT "Slug already taken"
        means "Another organization has this slug, or had it: former slugs go on leading to their organization."
        do_this "Choose another one."
    TooManySlugs "too_many_slugs" CONFLICT "Too many former slugs"
        means "The organization has 20 former slugs, which all lead to it."
        do_this "Keep the current slug, or take back a former one."
    TooManyOrganizations "too_many_organizations" CONFLICT "Too many organizations"
        means "The user belongs to a hundred organizations."
        do_this "Leave one first."
    TooManyJoinLinks "too_many_join_links" CONFLICT "Too many join links"
        means "The organization has fifty join links that have not expired."
        do_this "Revoke unused ones."
    TooManyWebhooks "too_many_webhooks" CONFLICT "Too many webhooks"
        means "The organization has twenty webhooks."
        do_this "Delete unused ones."
    WebhookSwitchedOff "webhook_switched_off" CONFLICT "Webhook switched off"
        means "The webhook is told nothing: an admin switched it off, its receiver answered 410, or nothing could be \
            delivered for three days."
        do_this "Switch it on with `enabled`, then try again."
    AccountExists "account_exists" CONFLICT "Account already exists"
        means "The e-mail address, or the identity at Slack, belongs to another account."
        do_this "Sign in to that account with its password (reset it if it is forgotten), then link Slack with \
            `/api/auth/slack/link`. A password reset may have unlinked Slack."
    PasswordAlreadySet "password_already_set" CONFLICT "Password already set: use /api/auth/change-password"
        means "The account has a password, which `set-password` does not replace."
        do_this "Send the current and the new password to `/api/auth/change-password`."
    LastWayIn "last_way_in" CONFLICT
        "The last way to sign in must stay: set a password for your e-mail address first"
        means "The account has no password with an address to sign in with, and no other identity that leads into an \
            organization. Where addresses must be verified, an unverified one does not count."
        do_this "Set an address with `/api/auth/change-email` and a password with `/api/auth/set-password`, or link \
            another workspace; then unlink."
    MfaAlreadyEnabled "mfa_already_enabled" CONFLICT "MFA already enabled"
        means "The account has an authenticator."
        do_this "To replace it, send a `code` of the current one, or a recovery code."
    MfaNotEnrolled "mfa_not_enrolled" CONFLICT "MFA not enrolled"
        means "The account has no authenticator, or none to confirm. To require MFA for others, you must have it \
            enabled yourself."
        do_this "Enrol an authenticator at `/api/auth/mfa/totp`."
    MfaRequired "mfa_required" CONFLICT "MFA required"
        means "One of the caller's organizations requires a second factor."
        do_this "Replace the authenticator instead, or leave the organization."
    AlreadyMember "already_member" CONFLICT "Already a member"
        means "The user already belongs to the organization."
        do_this "Refresh the token with `organizationId` to switch to the organization."
    OrganizationClosed "organization_closed" CONFLICT "Organization closed"
        means "The organization accepts no new members, not even invited ones."
        do_this "Ask an administrator of the organization to change its join policy."
    LastAdmin "last_admin" CONFLICT "The last admin must stay"
        means "Without this admin the organization would have none."
        do_this "Make another user an admin first."
    MemberElsewhere "member_elsewhere" CONFLICT "Member of another organization"
        means "The account also belongs to another organization, so others cannot change its name, and it cannot be \
            disabled or enabled."
        do_this "Ask the user to change the name; remove the user from this organization instead of disabling."
    TooManyApiTokens "too_many_api_tokens" CONFLICT "Too many API tokens"
        means "The caller has a hundred active API tokens in this organization."
        do_this "Revoke unused ones."
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE "Request body too large"
        means "The body is larger than 16 KiB; the connection is closed."
        do_this "Send a smaller body."
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "Unsupported Media Type"
        means "The body is not declared as JSON, or is compressed."
        do_this "Send `Content-Type: application/json`, and no `Content-Encoding`."
    MisdirectedRequest "misdirected_request" MISDIRECTED_REQUEST "Host not served here"
        means "`hallpass dev` answers only to the host of `PUBLIC_URL`, to `localhost` and to loopback addresses."
        do_this "Use one of these in the URL, or set `PUBLIC_URL`."
    TooManyAttempts "too_many_attempts" TOO_MANY_REQUESTS "Too many attempts"
        means "Too many wrong passwords or codes; this one was not checked. Existing and unknown accounts \
            give the same error."
        do_this "Try again after `Retry-After` seconds, or offer to reset the password."
    TooManyRequests "too_many_requests" TOO_MANY_REQUESTS "Too many requests"
        means "A rate limit of this address, account, organization or instance is exceeded; nothing was done."
        do_this "Try again after `Retry-After` seconds; `RateLimit` shows how many calls are left, and \
            `RateLimit-Policy` names the limit."
    HeadTooLarge "head_too_large" REQUEST_HEADER_FIELDS_TOO_LARGE "Request head too large"
        means "Path, query and header fields together are larger than 32 KiB; the connection is closed."
        do_this "Send fewer or smaller headers; check for cookies, and for proxies that add fields."
    InternalError "internal_error" INTERNAL_SERVER_ERROR "Internal Server Error"
        means "An error of this service. Its log has the cause under the `X-Request-Id` of the answer."
        do_this "Report the request id to the operator."
    SlackMisconfigured "slack_misconfigured" INTERNAL_SERVER_ERROR "Slack misconfigured"
        means "Slack rejects this service's settings. The log has Slack's error."
        do_this "Report it to the operator; trying again does not help."
    SlackNotSetUp "slack_not_set_up" NOT_IMPLEMENTED "Sign-in with Slack is not set up"
        means "The operator has not configured a Slack app for this service."
        do_this "Offer another way to sign in. Operators: set `SLACK_CLIENT_ID` and `SLACK_CLIENT_SECRET`."
    Busy "busy" SERVICE_UNAVAILABLE "Service busy"
        means "The queue is too long to answer in time; nothing was done."
        do_this "Try again after `Retry-After` seconds."
    Unavailable "unavailable" SERVICE_UNAVAILABLE "Service unavailable"
        means "Something this service depends on does not answer. The credential was not checked."
        do_this "Try again after `Retry-After` seconds; keep the token."
    SlackUnavailable "slack_unavailable" SERVICE_UNAVAILABLE "Slack unavailable"
        means "Slack does not answer, or answers with an error."
        do_this "Offer to try again later, or another way to sign in."
}

impl ErrorCode {
    /// The `error` of the body: the status in words.
    pub fn reason(self) -> &'static str {
        self.status().canonical_reason().unwrap_or("Error")
    }

    /// The `WWW-Authenticate` of every 401 (RFC 9110 §15.5.2), and of the 403 that asks to reauthenticate.
    pub fn challenge(self) -> Option<Challenge> {
        match self {
            Self::AuthenticationRequired
            | Self::InvalidCredentials
            | Self::InvalidCode
            | Self::SecondFactorRequired => Some(Challenge::Plain),
            Self::InvalidToken | Self::TokenExpired | Self::TokenRevoked => {
                Some(Challenge::InvalidToken)
            }
            Self::ReauthenticationRequired => Some(Challenge::InsufficientAuthentication),
            _ => None,
        }
    }

    /// Seconds, for the `Retry-After` of every 429 and 503, unless the error itself knows better.
    pub fn retry_after(self) -> Option<u32> {
        match self {
            Self::TooManyAttempts => Some(900),
            Self::TooManyRequests => Some(60),
            Self::Busy => Some(1),
            Self::Unavailable | Self::SlackUnavailable => Some(5),
            _ => None,
        }
    }

    /// The generic code of a status.
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
    use crate::domain::lifetimes;
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
    fn only_401s_and_one_403_challenge_and_only_429s_and_503s_ask_to_retry() {
        for code in ErrorCode::ALL {
            assert_eq!(
                code.challenge().is_some(),
                code.status() == StatusCode::UNAUTHORIZED
                    || *code == ErrorCode::ReauthenticationRequired,
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
    fn the_challenge_to_reauthenticate_says_how_long_a_proof_counts() {
        let seconds = lifetimes::FRESH.num_seconds();
        let challenge = ErrorCode::ReauthenticationRequired.challenge();
        assert_eq!(
            challenge.map(Challenge::as_str),
            Some(&*format!(
                "Bearer error=\"insufficient_user_authentication\", max_age=\"{seconds}\""
            ))
        );
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
    fn the_texts_match_the_contract() {
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
             Generated from `src/http/error_code.rs`; `UPDATE_GENERATED=1 cargo test` regenerates it.\n\n\
             Every error is a JSON object, with the code in a header:\n\n\
             ```http\n\
             HTTP/1.1 401 Unauthorized\n\
             X-Error-Code: token_expired\n\
             WWW-Authenticate: Bearer error=\"invalid_token\"\n\n\
             {\"statusCode\":401,\"message\":\"Token expired\",\"error\":\"Unauthorized\"}\n\
             ```\n\n\
             Only `validation_failed` adds `details`, one entry per faulty field: \
             `{\"field\":\"email\",\"code\":\"invalid_email\",\"message\":\"…\"}`. \
             `last_admin` of `DELETE /api/auth/account` adds `organizations`: `[{\"id\":…,\"name\":…}]`. \
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
