//! Slack over HTTPS: two flows, one person.
//!
//! Nothing Slack writes is logged or handed on but what a sign-in needs, and its tokens are dropped as
//! soon as they were used.

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
use http::{Http, Trouble};
use keys::Keys;

/// For everything one sign-in asks of Slack.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sign-ins that ask Slack at the same time. While it is silent each holds a connection for all of [`PATIENCE`].
const AT_ONCE: usize = 64;

/// Our application at Slack.
pub struct Slack {
    client_id: String,
    client_secret: SecretString,
    flow: SlackFlow,
    base_url: Url,
    http: Http,
    keys: Keys,
    places: Semaphore,
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
            places: Semaphore::new(AT_ONCE),
        })
    }

    /// An address at Slack, whatever the base URL ends with.
    fn at(&self, path: &str) -> Url {
        let mut url = self.base_url.clone();
        let base = self.base_url.path().trim_end_matches('/');
        url.set_path(&format!("{base}{path}"));
        url
    }

    /// Asks Slack, unless too many do already, and not for long.
    async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, SignInFailure>>,
    ) -> Result<T, SignInFailure> {
        let _place = self
            .places
            .try_acquire()
            .map_err(|_| unavailable(Trouble::CROWDED))?;
        tokio::time::timeout(PATIENCE, answer)
            .await
            .unwrap_or_else(|_| Err(unavailable(Trouble::SILENT)))
    }

    async fn tokens(&self, path: &str, exchange: Exchange<'_>) -> Result<Tokens, SignInFailure> {
        let client: OauthClient = Client::new(ClientId::new(self.client_id.clone()))
            .set_client_secret(ClientSecret::new(
                self.client_secret.expose_secret().to_owned(),
            ))
            .set_token_uri(TokenUrl::from_url(self.at(path)));
        client
            .exchange_code(AuthorizationCode::new(exchange.code.to_owned()))
            // Slack wants to see again what it saw at the beginning.
            .set_redirect_uri(std::borrow::Cow::Owned(RedirectUrl::from_url(
                exchange.redirect_uri.clone(),
            )))
            .request_async(&self.http)
            .await
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(answer) => refused(answer.error().as_ref()),
                RequestTokenError::Request(trouble) => unavailable(trouble),
                // Their texts hold the answer.
                RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                    unavailable(Trouble::NOT_EXPECTED)
                }
            })
    }
}

impl SlackApi for Slack {
    /// By hand: clients know URLs that begin with the client id.
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

/// An error that Slack named.
fn refused(slack_error: &str) -> SignInFailure {
    let (failure, name) = meaning_of(slack_error);
    if failure == SignInFailure::SlackMisconfigured {
        tracing::error!(
            slack_error = name,
            "Slack does not accept the SLACK_ settings"
        );
    } else {
        tracing::warn!(slack_error = name, "Slack refused a sign-in");
    }
    failure
}

fn unavailable(trouble: Trouble) -> SignInFailure {
    tracing::warn!(why = %trouble, "Slack cannot be used");
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

/// What stands beside the token in Slack's answers.
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
    fn the_way_to_slack_begins_as_clients_know_it() {
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
