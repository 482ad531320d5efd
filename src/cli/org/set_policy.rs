//! `hallpass org set-policy`

use std::str::FromStr;

use clap::{ArgGroup, Args};

use super::{OrganizationJson, find, print_table};
use crate::cli::operator::Console;
use crate::cli::{Failure, output};
use crate::config::Variables;
use crate::domain::{AllowedDomains, JoinPolicy, SessionIdle, SessionLifetime, TokenLifetime};
use crate::service::operations::operator;
use crate::service::{UpdateLifetimes, UpdateOrganization};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass org set-policy acme --join invite",
    "hallpass org set-policy acme --join domain --domains acme.example,acme.test",
    "hallpass org set-policy acme --require-mfa on",
    "hallpass org set-policy acme --token-lifetime 1h --session-idle 12h --session-lifetime none",
);

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("rules").required(true).multiple(true).args([
    "join", "domains", "require_mfa", "token_lifetime", "session_lifetime", "session_idle",
]))]
pub(crate) struct SetPolicy {
    /// Slug or id of the organization
    #[arg(value_name = "SLUG")]
    organization: String,
    /// Who may join: open (anyone who knows the id), domain (users of --domains, and invited users), invite (invited
    /// users) or closed (no one)
    #[arg(long, value_name = "POLICY")]
    join: Option<JoinPolicy>,
    /// The domains of --join domain, separated by commas; they replace the current ones
    #[arg(long)]
    domains: Option<String>,
    /// Whether every member must have a second factor: on or off. Members without one enrol at their next sign-in
    #[arg(long, value_name = "ON|OFF", value_parser = on_or_off)]
    require_mfa: Option<bool>,
    /// How long an access token for the organization is valid, such as 30m, 12h or 7d; none: as TOKEN_LIFETIME has it.
    /// This and the next two can only shorten what the settings allow, and count for existing sessions too
    #[arg(long, value_name = "DURATION|none")]
    token_lifetime: Option<OrNone<TokenLifetime>>,
    /// How long after the sign-in a session of the organization ends; none: as SESSION_LIFETIME has it
    #[arg(long, value_name = "DURATION|none")]
    session_lifetime: Option<OrNone<SessionLifetime>>,
    /// How long after its last refresh a session of the organization ends; none: as SESSION_IDLE has it
    #[arg(long, value_name = "DURATION|none")]
    session_idle: Option<OrNone<SessionIdle>>,
    /// Print the organization as JSON
    #[arg(long)]
    json: bool,
}

impl SetPolicy {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let domains = self.domains.as_deref().map(|text| {
            let names = text.split(',').map(str::trim);
            AllowedDomains::parse(names.filter(|name| !name.is_empty()))
        });
        let update = UpdateOrganization {
            join_policy: self.join,
            allowed_domains: domains.transpose().map_err(Failure::invalid("domains"))?,
            require_mfa: self.require_mfa,
            lifetimes: UpdateLifetimes {
                token: self.token_lifetime.map(|given| given.0),
                session: self.session_lifetime.map(|given| given.0),
                idle: self.session_idle.map(|given| given.0),
            },
            ..UpdateOrganization::default()
        };
        let console = Console::open(variables).await?;
        let id = find(&console.services, &self.organization).await?.id;
        let changed = operator::set_policy(&console.services, &console.context, id, update).await?;
        if self.json {
            output::print_json(&OrganizationJson::from(&changed))
        } else {
            print_table(&[changed])
        }
    }
}

/// A value, or `none` to remove a rule.
#[derive(Debug, Clone, Copy)]
struct OrNone<T>(Option<T>);

impl<T: FromStr> FromStr for OrNone<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        match text {
            "none" => Ok(Self(None)),
            given => given.parse().map(|value| Self(Some(value))),
        }
    }
}

fn on_or_off(text: &str) -> Result<bool, &'static str> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("use on or off"),
    }
}
