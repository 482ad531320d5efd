//! The answer to programs that ask for the authorization URL of Slack.

use serde::Serialize;
use utoipa::ToSchema;

use crate::service::slack::Begun;

/// The URL to redirect the browser to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SlackWay {
    /// Redirect the user's browser here.
    #[schema(example = "https://slack.com/oauth/v2/authorize?client_id=1234567890.1234567890123")]
    url: String,
    /// Comes back to the return URL. Keep it and compare, or the user may end up in another person's sign-in.
    #[schema(example = "q7Zk0yq1l8Q")]
    state: String,
    /// Where Slack redirects the user: the redirect URL to register at Slack.
    #[schema(example = "https://auth.example.com/api/auth/slack/callback")]
    callback_url: String,
    /// `signin`, `link` or `reauthenticate`.
    #[serde(rename = "type")]
    #[schema(example = "signin")]
    kind: &'static str,
}

impl SlackWay {
    pub(super) fn new(begun: Begun, callback_url: &::url::Url, kind: &'static str) -> Self {
        Self {
            url: begun.url.into(),
            state: begun.state,
            callback_url: callback_url.to_string(),
            kind,
        }
    }
}
