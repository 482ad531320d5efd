//! `hallpass user sessions …`

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{ArgGroup, Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use super::{find, name};
use crate::cli::operator::Console;
use crate::cli::{Failure, output};
use crate::config::Variables;
use crate::domain::{OrganizationId, Session, SessionId, SessionKind};
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass user sessions list ada@example.com",
    "hallpass user sessions end ada@example.com --all",
);

const LIST_EXAMPLES: &str = examples!(
    "hallpass user sessions list ada@example.com",
    "hallpass user sessions list ada@example.com --json | jq -r '.[].id'",
);

const END_EXAMPLES: &str = examples!(
    "hallpass user sessions end ada@example.com 0199e0c1-7a52-7c31-9a3e-5f2b6d8c4e10",
    "hallpass user sessions end ada@example.com --all",
);

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List a user's sessions, newest first
    #[command(after_help = LIST_EXAMPLES)]
    List(List),
    /// End one of a user's sessions, or all of them
    #[command(after_help = END_EXAMPLES)]
    End(End),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// E-mail address or id of the user
    user: String,
    /// Print the sessions as a JSON array
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).args(["session", "all"]))]
pub(crate) struct End {
    /// E-mail address or id of the user
    user: String,
    /// Id of the session
    #[arg(value_name = "ID")]
    session: Option<SessionId>,
    /// End all sessions with the API tokens made in them, and revoke all access tokens
    #[arg(long)]
    all: bool,
    /// Print {"ended": [ids of sessions]}
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionJson<'a> {
    id: SessionId,
    kind: SessionKind,
    organization_id: Option<OrganizationId>,
    device: Option<&'a str>,
    address: Option<String>,
    created_at: DateTime<Utc>,
    last_used_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

pub(super) async fn run(command: Command, variables: &Variables) -> Result<(), Failure> {
    match command {
        Command::List(list) => list.run(variables).await,
        Command::End(end) => end.run(variables).await,
    }
}

impl List {
    async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let console = Console::open(variables).await?;
        let user = find("user", &console, &self.user).await?;
        let sessions = operator::list_sessions(&console.services, user.id).await?;
        if self.json {
            let sessions: Vec<_> = sessions.iter().map(SessionJson::from).collect();
            return output::print_json(&sessions);
        }
        let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        output::print_table(
            ["ID", "KIND", "BEGAN", "LAST USED", "ADDRESS", "DEVICE"],
            sessions.into_iter().map(|session| {
                [
                    session.id.to_string(),
                    session.kind.to_string(),
                    time(session.created_at),
                    time(session.last_used_at),
                    session.address.map(|it| it.to_string()).unwrap_or_default(),
                    session.device.unwrap_or_default(),
                ]
            }),
        )
    }
}

impl End {
    async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let console = Console::open(variables).await?;
        let user = find("user", &console, &self.user).await?;
        let (services, context) = (&console.services, &console.context);
        let ended = match self.session {
            Some(id) => {
                operator::end_session(services, context, user.id, id).await?;
                vec![id]
            }
            None => operator::end_all_sessions(services, context, user.id).await?,
        };
        if self.json {
            return output::print_json(&json!({"ended": ended}));
        }
        let sessions = match ended.len() {
            1 => "session".to_owned(),
            more => format!("{more} sessions"),
        };
        output::print(&format!("Ended {sessions} of {}.", name(&user)))
    }
}

impl<'a> From<&'a Session> for SessionJson<'a> {
    fn from(session: &'a Session) -> Self {
        Self {
            id: session.id,
            kind: session.kind,
            organization_id: session.organization_id,
            device: session.device.as_deref(),
            address: session.address.map(|address| address.to_string()),
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
        }
    }
}
