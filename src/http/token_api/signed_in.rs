//! The login answer, and the answer that requires a second factor first.

use serde::Serialize;
use utoipa::ToSchema;

use super::user::User;
use crate::service;

/// A new access token and its user.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignedIn {
    /// A JWT (HS256) for `Authorization: Bearer`.
    #[schema(example = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl")]
    access_token: String,
    /// Seconds until the token expires: `TOKEN_LIFETIME`, or less if the organization allows less or the session ends
    /// before.
    #[schema(maximum = 604_800, example = 604_800)]
    expires_in: i64,
    user: User,
}

impl From<service::SignedIn> for SignedIn {
    fn from(signed_in: service::SignedIn) -> Self {
        Self {
            access_token: signed_in.access_token,
            expires_in: signed_in.expires_in,
            user: signed_in.profile.into(),
        }
    }
}

/// The result of a sign-in with e-mail and password, or with Slack.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum SignIn {
    Complete(SignedIn),
    SecondFactor(MfaRequired),
}

/// The account has a second factor: send its code with the `mfaToken` to `/api/auth/mfa/verify`. Or the organization
/// requires one (`enrolmentRequired`): enrol it with the `mfaToken` at `/api/auth/mfa/totp`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MfaRequired {
    #[schema(example = true)]
    mfa_required: bool,
    /// Valid only for the second step of this sign-in.
    #[schema(example = "u8H1VYkQ3mLw9TtR5nYc1JhF8bGd2SaEk7Qv0ZpX3mA")]
    mfa_token: String,
    /// Seconds until the `mfaToken` expires.
    #[schema(example = 300)]
    expires_in: i64,
    /// True if the user has no authenticator yet; otherwise absent.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false, example = false)]
    enrolment_required: bool,
}

impl From<service::SignIn> for SignIn {
    fn from(sign_in: service::SignIn) -> Self {
        match sign_in {
            service::SignIn::Complete(signed_in) => Self::Complete(signed_in.into()),
            service::SignIn::Challenge(second_factor) => Self::SecondFactor(MfaRequired {
                mfa_required: true,
                mfa_token: second_factor.token.expose().to_owned(),
                expires_in: second_factor.expires_in,
                enrolment_required: second_factor.enrolment_required,
            }),
        }
    }
}
