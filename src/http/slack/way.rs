//! The answer to those who ask for the way to Slack by program.

use serde::Serialize;
use utoipa::ToSchema;

use crate::service::slack::Begun;

/// The way to Slack.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SlackWay {
    /// Send the person's browser here.
    #[schema(example = "https://slack.com/oauth/v2/authorize?client_id=1234567890.1234567890123")]
    url: String,
    /// Comes back to the return URL. Keep it and compare, or the person may end up in somebody
    /// else's sign-in.
    #[schema(example = "q7Zk0yq1l8Q")]
    state: String,
    /// Where Slack will send the person: the redirect URL to register there.
    #[schema(example = "https://auth.example.com/api/auth/slack/callback")]
    callback_url: String,
    /// `signin` or `link`.
    #[serde(rename = "type")]
    #[schema(example = "signin")]
    kind: &'static str,
}

impl SlackWay {
    pub fn new(begun: Begun, callback_url: &::url::Url, kind: &'static str) -> Self {
        Self {
            url: begun.url.into(),
            state: begun.state,
            callback_url: callback_url.to_string(),
            kind,
        }
    }
}
