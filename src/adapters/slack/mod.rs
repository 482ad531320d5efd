//! The Slack API over HTTPS, for both sign-in flows.
//!
//! Only what a sign-in needs from Slack's responses is logged or passed on, and tokens are dropped after use.

mod http;
mod keys;
mod oidc;
mod v2;

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
    BasicTokenType,
};
use oauth2::{
    AuthorizationCode, Client, ClientId, ClientSecret, EndpointNotSet, EndpointSet,
    ExtraTokenFields, RedirectUrl, RequestTokenError, StandardRevocableToken,
    StandardTokenResponse, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use url::Url;

use crate::domain::SignInFailure;
use crate::domain::slack::{SlackFlow, meaning_of};
use crate::ports::SlackApi;
use crate::ports::slack::{Arrival, Authorize, Exchange, UserToken};
use http::{Http, RequestError};
use keys::Keys;

/// For all requests of one sign-in together.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Concurrent sign-ins that call Slack. While Slack does not respond, each occupies a connection for [`TIMEOUT`].
const MAX_CONCURRENT: usize = 64;

/// Our app at Slack.
pub struct Slack {
    client_id: String,
    client_secret: SecretString,
    flow: SlackFlow,
    base_url: Url,
    http: Http,
    keys: Keys,
    permits: Semaphore,
}

impl Slack {
    /// # Errors
    /// When the system offers no TLS.
    pub fn new(
        client_id: String,
        client_secret: SecretString,
        flow: SlackFlow,
        base_url: Url,
    ) -> Result<Self, String> {
        Ok(Self {
            client_id,
            client_secret,
            flow,
            http: Http::new(&base_url)?,
            base_url,
            keys: Keys::default(),
            permits: Semaphore::new(MAX_CONCURRENT),
        })
    }

    /// The URL of `path` at Slack, with or without a slash at the end of the base URL.
    fn at(&self, path: &str) -> Url {
        let mut url = self.base_url.clone();
        let base = self.base_url.path().trim_end_matches('/');
        url.set_path(&format!("{base}{path}"));
        url
    }

    /// Limits the duration of a sign-in's requests, and the number of concurrent sign-ins.
    async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, SignInFailure>>,
    ) -> Result<T, SignInFailure> {
        let _permit = self
            .permits
            .try_acquire()
            .map_err(|_| unavailable(RequestError::TOO_MANY_SIGN_INS))?;
        tokio::time::timeout(TIMEOUT, answer)
            .await
            .unwrap_or_else(|_| Err(unavailable(RequestError::TIMED_OUT)))
    }

    async fn tokens(&self, path: &str, exchange: Exchange<'_>) -> Result<Tokens, SignInFailure> {
        let client: OauthClient = Client::new(ClientId::new(self.client_id.clone()))
            .set_client_secret(ClientSecret::new(
                self.client_secret.expose_secret().to_owned(),
            ))
            .set_token_uri(TokenUrl::from_url(self.at(path)));
        client
            .exchange_code(AuthorizationCode::new(exchange.code.to_owned()))
            // Slack requires the redirect URI of the authorization request.
            .set_redirect_uri(std::borrow::Cow::Owned(RedirectUrl::from_url(
                exchange.redirect_uri.clone(),
            )))
            .request_async(&self.http)
            .await
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(answer) => refused(answer.error().as_ref()),
                RequestTokenError::Request(error) => unavailable(error),
                // Their texts contain the response.
                RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                    unavailable(RequestError::UNEXPECTED)
                }
            })
    }
}

impl SlackApi for Slack {
    /// Built by hand, because clients expect URLs that start with the client id.
    fn authorize_url(&self, authorize: Authorize<'_>) -> Url {
        let (path, scopes) = match self.flow {
            SlackFlow::V2 => (v2::AUTHORIZE, v2::SCOPES),
            SlackFlow::Oidc => (oidc::AUTHORIZE, oidc::SCOPES),
        };
        let mut url = self.at(path);
        let mut query = url.query_pairs_mut();
        query
            .append_pair("client_id", &self.client_id)
            .extend_pairs(scopes)
            .append_pair("redirect_uri", authorize.redirect_uri.as_str())
            .append_pair("state", authorize.state);
        if self.flow == SlackFlow::Oidc {
            query.append_pair("nonce", authorize.nonce);
        }
        if let Some(team) = authorize.team {
            query.append_pair("team", team);
        }
        drop(query);
        url
    }

    fn exchange<'a>(
        &'a self,
        exchange: Exchange<'a>,
    ) -> BoxFuture<'a, Result<Arrival, SignInFailure>> {
        async move {
            let arrival = async {
                match self.flow {
                    SlackFlow::V2 => self.arrival_v2(exchange).await,
                    SlackFlow::Oidc => self.arrival_oidc(exchange).await,
                }
            };
            self.in_time(arrival).await
        }
        .boxed()
    }

    fn workspace_name(
        &self,
        token: UserToken,
    ) -> BoxFuture<'_, Result<Option<String>, SignInFailure>> {
        self.in_time(self.ask_workspace_name(token)).boxed()
    }
}

/// Logs an error that Slack returned and maps it to ours.
fn refused(slack_error: &str) -> SignInFailure {
    let (failure, name) = meaning_of(slack_error);
    if failure == SignInFailure::SlackMisconfigured {
        tracing::error!(slack_error = name, "Slack rejected our SLACK_ settings");
    } else {
        tracing::warn!(slack_error = name, "Slack rejected a sign-in");
    }
    failure
}

fn unavailable(error: RequestError) -> SignInFailure {
    tracing::warn!(why = %error, "Slack is unavailable");
    SignInFailure::SlackUnavailable
}

type Tokens = StandardTokenResponse<Fields, BasicTokenType>;

type OauthClient = Client<
    BasicErrorResponse,
    Tokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Slack's additional fields in token responses.
#[derive(Debug, Serialize, Deserialize)]
struct Fields {
    team: Option<Named>,
    enterprise: Option<Named>,
    authed_user: Option<AuthedUser>,
    id_token: Option<IdToken>,
}

impl ExtraTokenFields for Fields {}

#[derive(Debug, Serialize, Deserialize)]
struct Named {
    id: String,
    name: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct AuthedUser {
    id: String,
}

/// Cannot be printed.
#[derive(Serialize, Deserialize)]
struct IdToken(String);

impl std::fmt::Debug for IdToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slack(flow: SlackFlow, base_url: &str) -> Slack {
        let base_url = base_url.parse().unwrap();
        Slack::new("1.2".into(), "secret".into(), flow, base_url).unwrap()
    }

    fn authorize_url(flow: SlackFlow, base_url: &str, team: Option<&str>) -> String {
        let redirect_uri = "https://id.example.com/api/auth/slack/callback"
            .parse()
            .unwrap();
        let authorize = Authorize {
            redirect_uri: &redirect_uri,
            state: "s",
            nonce: "n",
            team,
        };
        slack(flow, base_url).authorize_url(authorize).into()
    }

    #[test]
    fn authorization_urls_have_the_documented_form() {
        let callback = "https%3A%2F%2Fid.example.com%2Fapi%2Fauth%2Fslack%2Fcallback";
        assert_eq!(
            authorize_url(SlackFlow::V2, "https://slack.com", None),
            format!(
                "https://slack.com/oauth/v2/authorize?client_id=1.2\
                 &user_scope=users%3Aread%2Cusers%3Aread.email&redirect_uri={callback}&state=s"
            )
        );
        assert_eq!(
            authorize_url(SlackFlow::Oidc, "https://slack.com/", Some("T1")),
            format!(
                "https://slack.com/openid/connect/authorize?client_id=1.2&response_type=code\
                 &scope=openid+email+profile&redirect_uri={callback}&state=s&nonce=n&team=T1"
            )
        );
        let sandbox = authorize_url(SlackFlow::V2, "http://127.0.0.1:1/dev/slack", None);
        assert!(sandbox.starts_with("http://127.0.0.1:1/dev/slack/oauth/v2/authorize?client_id="));
    }
}
