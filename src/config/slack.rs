//! Sign-in with Slack.

use secrecy::SecretString;
use url::Url;

use super::Mode;
use super::addresses::secure_base_url;
use super::reader::Reader;
use super::server::Server;
use super::setting_error::Problem;
use super::settings::{
    SLACK_ALLOW_GUESTS, SLACK_BASE_URL, SLACK_CLIENT_ID, SLACK_CLIENT_SECRET,
    SLACK_FIRST_USER_ROLE, SLACK_FLOW, SLACK_TOKEN_DELIVERY,
};
use super::values::{one_of, switch};
use crate::domain::slack::SlackFlow;
use crate::domain::{Role, TokenDelivery};

const SLACK: &str = "https://slack.com";

/// The path of the sandbox in `hallpass dev`.
const SANDBOX: &str = "/dev/slack";

#[derive(Debug, Clone)]
pub struct Slack {
    pub client_id: String,
    pub client_secret: SecretString,
    pub flow: SlackFlow,
    pub base_url: Url,
    pub token_delivery: TokenDelivery,
    pub allow_guests: bool,
    /// The role of the first user from a workspace.
    pub first_user_role: Role,
}

fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}

impl Slack {
    /// `None` without client id and secret; the other settings are validated anyway.
    pub(super) fn read(reader: &mut Reader<'_>, server: Option<&Server>) -> Option<Self> {
        let client_id = reader.value(&SLACK_CLIENT_ID, |text| Ok(text.to_owned()));
        let client_secret = reader.secret(&SLACK_CLIENT_SECRET);
        let flow = reader.value(
            &SLACK_FLOW,
            one_of(&[("v2", SlackFlow::V2), ("oidc", SlackFlow::Oidc)]),
        );
        let base_url = match reader.value(&SLACK_BASE_URL, secure_base_url) {
            Some(url) => Some(url),
            None if reader.is_given(&SLACK_BASE_URL) => None,
            None if reader.mode == Mode::Dev && !reader.is_given(&SLACK_CLIENT_ID) => {
                server.map(|server| below(&server.public_url, SANDBOX))
            }
            None => Url::parse(SLACK).ok(),
        };
        let token_delivery = reader.value(
            &SLACK_TOKEN_DELIVERY,
            one_of(&[
                ("fragment", TokenDelivery::Fragment),
                ("query", TokenDelivery::Query),
                ("cookie", TokenDelivery::Cookie),
            ]),
        );
        let allow_guests = reader.value(&SLACK_ALLOW_GUESTS, switch);
        let roles = [Role::Admin, Role::Manager, Role::Employee].map(|role| (role.as_str(), role));
        let first_user_role = reader.value(&SLACK_FIRST_USER_ROLE, one_of(&roles));
        for (given, missing) in [
            (&SLACK_CLIENT_ID, &SLACK_CLIENT_SECRET),
            (&SLACK_CLIENT_SECRET, &SLACK_CLIENT_ID),
        ] {
            if reader.is_given(given) && !reader.is_given(missing) {
                let why = format!("It is required because {} is set.", given.name);
                let hint = "Set both, as shown by Slack under Basic Information, or neither.";
                reader.report(missing, Problem::new(why, hint));
            }
        }
        Some(Self {
            client_id: client_id?,
            client_secret: client_secret?,
            flow: flow?,
            base_url: base_url?,
            token_delivery: token_delivery?,
            allow_guests: allow_guests?,
            first_user_role: first_user_role?,
        })
    }
}
