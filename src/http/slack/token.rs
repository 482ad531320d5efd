//! `POST /api/auth/slack/token`

use actix_web::web::{Data, Json};

use crate::domain::CodeVerifier;
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{AccountExists, NotAllowed, SignInExpired, SlackNotSetUp};
use crate::http::token_api::signed_in::SignIn;
use crate::service::slack::{self, Redeem};
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

/// Redeem a one-time code
///
/// Works once, within a minute, and only with the verifier. A wrong verifier uses the code up as well.
#[utoipa::path(
    post,
    path = "/api/auth/slack/token",
    tag = "Slack",
    request_body = SlackTokenRequest,
    responses((status = 200, description = "Signed in, or the second factor is required.", body = SignIn)),
    extensions(("x-error-codes" = json!([SignInExpired, NotAllowed, AccountExists, SlackNotSetUp]))),
)]
pub(crate) async fn token(
    services: Data<Services>,
    context: RequestContext,
    Valid(body): Valid<SlackTokenRequest>,
) -> Result<Json<SignIn>, ApiError> {
    let redeem = Redeem {
        code: &body.code,
        verifier: &body.code_verifier,
    };
    let sign_in = slack::redeem(&services, &context, redeem).await?;
    Ok(Json(sign_in.into()))
}
