//! `POST /api/auth/slack/token`

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::CodeVerifier;
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{AccountExists, NotAllowed, SignInExpired, SlackNotSetUp};
use crate::http::token_api::signed_in::{SignIn, SignedIn};
use crate::service::slack::{self, Redeem, Redeemed};
use crate::service::{RequestContext, Services};

body! {
    pub struct SlackTokenRequest {
        /// The code from the return URL, within a minute.
        #[schema(example = "u8H1VYkQ3mLw9TtR5nYc1JhF8bGd2SaEk7Qv0ZpX3mA")]
        code: String,
        /// The verifier that the code challenge was made from.
        #[schema(value_type = String, min_length = 43, max_length = 128,
            example = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")]
        code_verifier: CodeVerifier,
    }
}

/// The login answer, or that of a reauthentication.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum SlackToken {
    SignIn(SignIn),
    Reauthenticated(SlackReauthenticated),
}

/// Another token of the session, which counts as fresh for fifteen minutes.
#[derive(Serialize, ToSchema)]
pub(crate) struct SlackReauthenticated {
    #[serde(rename = "type")]
    #[schema(example = "reauthenticate")]
    kind: &'static str,
    #[serde(flatten)]
    signed_in: SignedIn,
}

/// Redeem a one-time code
///
/// Works once, within a minute, and only with the verifier. A wrong verifier uses the code up as well.
#[utoipa::path(
    post,
    path = "/api/auth/slack/token",
    tag = "Slack",
    request_body = SlackTokenRequest,
    responses((status = 200, description = "Signed in or reauthenticated, or the second factor is required.",
        body = SlackToken)),
    extensions(("x-error-codes" = json!([SignInExpired, NotAllowed, AccountExists, SlackNotSetUp]))),
)]
pub(crate) async fn token(
    services: Data<Services>,
    context: RequestContext,
    Valid(body): Valid<SlackTokenRequest>,
) -> Result<Json<SlackToken>, ApiError> {
    let redeem = Redeem {
        code: &body.code,
        verifier: &body.code_verifier,
    };
    Ok(Json(
        match slack::redeem(&services, &context, redeem).await? {
            Redeemed::SignIn(sign_in) => SlackToken::SignIn(sign_in.into()),
            Redeemed::Reauthenticated(signed_in) => {
                SlackToken::Reauthenticated(SlackReauthenticated {
                    kind: "reauthenticate",
                    signed_in: signed_in.into(),
                })
            }
        },
    ))
}
