//! `hallpass user set-password`

use clap::Args;
use secrecy::ExposeSecret;
use serde::Serialize;

use super::password::{self, PasswordSource};
use super::{Subject, UserJson, name};
use crate::cli::operator::Console;
use crate::cli::{Failure, output};
use crate::config::Variables;
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass user set-password ada@example.com              ask for the password twice",
    "hallpass user set-password ada@example.com < password",
    "hallpass user set-password ada@example.com --generate-password --json",
);

#[derive(Debug, Args)]
pub(crate) struct SetPassword {
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    source: PasswordSource,
}

impl SetPassword {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let console = Console::open(variables).await?;
        let user = self.subject.find(&console).await?;
        let password = self.source.read().await?;
        let (services, context) = (&console.services, &console.context);
        let password_text = password.expose_secret();
        let user = operator::set_password(services, context, &user, password_text).await?;
        let shown = self.source.is_generated().then_some(password_text);
        if self.subject.json {
            return output::print_json(&ChangedJson {
                user: UserJson::from(&user),
                password: shown,
            });
        }
        let done = format!(
            "Set the password of {}. All their sessions have ended.",
            name(&user)
        );
        output::print(&done)?;
        password::show(shown)
    }
}

#[derive(Serialize)]
struct ChangedJson<'a> {
    #[serde(flatten)]
    user: UserJson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
}
