//! `hallpass service list`

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use serde::Serialize;

use crate::cli::operator::Console;
use crate::cli::{Failure, output};
use crate::config::Variables;
use crate::domain::ServiceId;
use crate::domain::service_account::{ServiceAccount, ServiceKey};
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass service list",
    "hallpass service list --json | jq -r '.[].name'",
);

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Print the services as a JSON array
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServiceJson<'a> {
    id: ServiceId,
    name: &'a str,
    created_at: DateTime<Utc>,
    keys: Vec<KeyJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyJson<'a> {
    prefix: &'a str,
    created_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
}

impl<'a> From<&'a ServiceAccount> for ServiceJson<'a> {
    fn from(service: &'a ServiceAccount) -> Self {
        let keys = service.keys.iter().map(|key| KeyJson {
            prefix: &key.prefix,
            created_at: key.created_at,
            last_used_at: key.last_used_at,
        });
        Self {
            id: service.id,
            name: service.name.as_str(),
            created_at: service.created_at,
            keys: keys.collect(),
        }
    }
}

impl List {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let services = Console::open(variables).await?.services;
        let listed = operator::list_services(&services).await?;
        if self.json {
            let listed: Vec<_> = listed.iter().map(ServiceJson::from).collect();
            return output::print_json(&listed);
        }
        let rows = listed.iter().flat_map(|service| {
            let keys = service.keys.iter().map(Some);
            // A service whose keys were all removed is listed too.
            let none = service.keys.is_empty().then_some(None);
            keys.chain(none).map(move |key| row(service, key))
        });
        output::print_table(["NAME", "KEY", "CREATED", "LAST USED"], rows)
    }
}

fn row(service: &ServiceAccount, key: Option<&ServiceKey>) -> [String; 4] {
    let written = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    [
        service.name.to_string(),
        key.map_or_else(|| "none".to_owned(), |key| format!("{}…", key.prefix)),
        written(key.map_or(service.created_at, |key| key.created_at)),
        key.and_then(|key| key.last_used_at)
            .map_or_else(|| "never".to_owned(), written),
    ]
}
