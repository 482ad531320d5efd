//! `hallpass service add`

use clap::Args;
use serde_json::json;

use crate::cli::operator::Console;
use crate::cli::{Failure, output};
use crate::config::Variables;
use crate::domain::service_account::ServiceName;
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass service add billing",
    "(umask 077; hallpass service add billing > /etc/billing/hallpass-key)",
    "hallpass service add billing --json | jq -r .key",
);

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The service's name: letters a to z, digits, dots, hyphens and underscores, at most 64 characters
    name: String,
    /// Print {"service": "…", "key": "…"}
    #[arg(long)]
    json: bool,
}

impl Add {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let name = ServiceName::parse(&self.name).map_err(Failure::invalid("name"))?;
        let console = Console::open(variables).await?;
        let added =
            operator::add_service_key(&console.services, &console.context, name.clone()).await?;
        let Some(added) = added else {
            return Err(Failure::InvalidInput(format!(
                "the service {name} has two keys already; see `hallpass service list`, and remove the one that is no \
                 longer in use: hallpass service remove {name} --key hps_…"
            )));
        };
        if let Some(other) = &added.other {
            output::note(&format!(
                "{name} now has two keys. When it uses this one, remove the other: hallpass service remove {name} \
                 --key {}",
                other.prefix
            ));
        }
        if self.json {
            output::print_json(&json!({"service": name.as_str(), "key": added.secret.expose()}))
        } else {
            output::print(added.secret.expose())
        }
    }
}
