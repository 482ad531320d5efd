//! `POST /api/auth/reset-password`

use actix_web::web::{Data, Json};

use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::InvalidOrExpiredToken;
use crate::http::field::Password;
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, Ending, RequestContext, Services};

body! {
    pub struct ResetPasswordRequest {
        /// The token of the e-mail link.
        #[schema(example = "u8H1VYkQ3mLw9TtR5nYc1JhF8bGd2SaEk7Qv0ZpX3mA")]
        token: String,
        /// At least 8 characters, unless the operator set another minimum, and not a common password.
        #[schema(value_type = String, format = "password", min_length = 1, max_length = 100,
            example = "an engine weaves algebra")]
        password: Password,
        /// True ends all API tokens of the account; otherwise those end that the ending sessions made.
        #[schema(example = true)]
        end_api_tokens: Option<bool>,
    }
}

/// Reset the password
///
/// Takes the token of the password reset e-mail. All sessions of the account end, and no new one begins. The address
/// counts as verified. If it was not verified before, others may have used it: then linked Slack identities, API
/// tokens, sent invitations, and memberships in organizations with another admin end as well. A password that breaks a
/// rule does not use up the token.
#[utoipa::path(
    post,
    path = "/api/auth/reset-password",
    tag = "Accounts",
    request_body = ResetPasswordRequest,
    responses((status = 200, description = "Changed.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken]))),
)]
pub(crate) async fn reset_password(
    services: Data<Services>,
    context: RequestContext,
    Valid(body): Valid<ResetPasswordRequest>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let password = body.password.expose();
    let api_tokens = Ending::all_if(body.end_api_tokens == Some(true));
    service::reset_password(&services, &context, &body.token, password, api_tokens).await?;
    Ok(Json(SuccessResponse::YES))
}
