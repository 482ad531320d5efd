//! The OpenID Connect flow: the ID token identifies the user.

use oauth2::TokenResponse as _;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::http::RequestError;
use super::{Slack, unavailable};
use crate::crypto::id_token::{self, Expected};
use crate::domain::{SignInFailure, SlackAccount, SlackPerson};
use crate::ports::slack::{Arrival, Exchange, UserToken, WorkspaceName};

pub(super) const AUTHORIZE: &str = "/openid/connect/authorize";

pub(super) const SCOPES: &[(&str, &str)] =
    &[("response_type", "code"), ("scope", "openid email profile")];

/// Independent of the base URL.
const ISSUER: &str = "https://slack.com";

#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(rename = "https://slack.com/user_id")]
    user_id: Option<String>,
    #[serde(rename = "https://slack.com/team_id")]
    team_id: Option<String>,
    #[serde(rename = "https://slack.com/enterprise_id")]
    enterprise_id: Option<String>,
    #[serde(rename = "https://slack.com/team_name")]
    team_name: Option<String>,
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
    name: Option<String>,
}

#[derive(Deserialize)]
struct UserInfo {
    #[serde(rename = "https://slack.com/team_name")]
    team_name: Option<String>,
}

impl Slack {
    pub(super) async fn arrival_oidc(
        &self,
        exchange: Exchange<'_>,
    ) -> Result<Arrival, SignInFailure> {
        let tokens = self.tokens("/api/openid.connect.token", exchange).await?;
        let unexpected = || unavailable(RequestError::UNEXPECTED);
        let token = &tokens
            .extra_fields()
            .id_token
            .as_ref()
            .ok_or_else(unexpected)?
            .0;
        let kid = id_token::kid(token).map_err(rejected)?;
        let key = self
            .keys
            .find(&kid, exchange.now, || {
                self.http.get(self.at("/openid/connect/keys"))
            })
            .await
            .map_err(unavailable)?;
        let expected = Expected {
            issuer: ISSUER,
            audience: &self.client_id,
            nonce: exchange.nonce,
        };
        let claims: Claims =
            id_token::verify(token, &key, expected, exchange.now).map_err(rejected)?;

        let user_id = claims.user_id.unwrap_or_else(|| claims.sub.clone());
        let team_id = claims.team_id.or(claims.enterprise_id);
        let account = team_id
            .and_then(|team_id| SlackAccount::parse(&team_id, &user_id))
            .filter(|_| user_id == claims.sub)
            .ok_or_else(unexpected)?;
        let person = SlackPerson {
            account,
            name: claims.name,
            email: claims.email.filter(|_| claims.email_verified),
            // This flow does not provide these; Slack itself rejects deactivated users.
            is_admin: false,
            is_guest: false,
            is_bot: false,
            is_deactivated: false,
        };
        let workspace_name = match claims.team_name {
            Some(name) => WorkspaceName::Told(Some(name)),
            None => {
                let token = tokens.access_token().secret().clone();
                WorkspaceName::ToAsk(UserToken(token.into()))
            }
        };
        Ok(Arrival {
            person,
            workspace_name,
        })
    }

    pub(super) async fn ask_workspace_name(
        &self,
        token: UserToken,
    ) -> Result<Option<String>, SignInFailure> {
        let url = self.at("/api/openid.connect.userInfo");
        let user_info: UserInfo = self.http.ask(url, token.0.expose_secret()).await?;
        Ok(user_info.team_name)
    }
}

fn rejected(error: id_token::IdTokenError) -> SignInFailure {
    tracing::warn!(why = %error, "rejected an ID token from Slack");
    SignInFailure::SlackUnavailable
}
