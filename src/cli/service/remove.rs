//! `hallpass service remove`

use clap::Args;
use serde_json::json;

use crate::cli::operator::Console;
use crate::cli::{Failure, output};
use crate::config::Variables;
use crate::domain::service_account::ServiceName;
use crate::service::operations::operator::{self, Removed};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass service remove billing",
    "hallpass service remove billing --key hps_BwcHBwcH",
);

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The service's name
    name: String,
    /// Remove only the key that begins so, as `hallpass service list` shows it
    #[arg(long, value_name = "PREFIX")]
    key: Option<String>,
    /// Print {"service": "…", "key": "…"}
    #[arg(long)]
    json: bool,
}

impl Remove {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let name = ServiceName::parse(&self.name).map_err(Failure::invalid("name"))?;
        let key = self.key.map(|key| key.trim_end_matches('…').to_owned());
        let console = Console::open(variables).await?;
        let removed = operator::remove_service(
            &console.services,
            &console.context,
            name.clone(),
            key.clone(),
        )
        .await?;
        let key = key.unwrap_or_default();
        let done = match removed {
            Removed::Service => format!("removed the service {name} and its keys"),
            Removed::Key => format!("removed the key {key}… of {name}"),
            Removed::NoSuchService => {
                return Err(Failure::InvalidInput(format!(
                    "no service is called {name}; run `hallpass service list` to see them"
                )));
            }
            Removed::NoSuchKey => {
                return Err(Failure::InvalidInput(format!(
                    "{name} has no key that begins with {key:?}; run `hallpass service list` to see them"
                )));
            }
        };
        if self.json {
            let key = (removed == Removed::Key).then_some(key);
            output::print_json(&json!({"service": name.as_str(), "key": key}))
        } else {
            output::print(&done)
        }
    }
}
