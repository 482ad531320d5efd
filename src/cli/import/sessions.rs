//! `hallpass import sessions`

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use chrono::{DateTime, NaiveDateTime, Utc};
use clap::Args;
use serde::Deserialize;
use serde_json::{Deserializer, Value, json};

use crate::cli::operator::Console;
use crate::cli::{Failure, output};
use crate::config::Variables;
use crate::service::operations::operator::{self, StoredSession};

pub(super) const EXAMPLES: &str = examples!(
    "psql old -Atc 'select row_to_json(s) from \"session\" s' > sessions.ndjson",
    "hallpass import sessions sessions.ndjson --source better-auth",
    "hallpass import sessions sessions.json --source nextauth --json",
);

/// Rows for one transaction.
const BATCH: usize = 500;

#[derive(Debug, Args)]
pub(crate) struct Sessions {
    /// NDJSON, or one JSON array
    file: PathBuf,
    /// The source of the people's external ids, as their import had it
    #[arg(long)]
    source: String,
    /// Print {"imported": 1, "expired": 0, "unknown": 0}
    #[arg(long)]
    json: bool,
}

/// A row, as NextAuth, better-auth and most others name its columns. Others are ignored.
#[derive(Deserialize)]
struct Row {
    #[serde(alias = "sessionToken", alias = "session_token", alias = "sid")]
    token: String,
    #[serde(rename = "userId", alias = "user_id", alias = "user")]
    user_id: UserId,
    #[serde(rename = "expiresAt", alias = "expires_at", alias = "expires")]
    expires_at: Time,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum UserId {
    Text(String),
    Number(i64),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Time {
    Text(String),
    /// Since 1970: seconds, or milliseconds if there are so many.
    Number(i64),
}

impl Time {
    /// Databases write times without an offset in UTC.
    fn read(&self) -> Option<DateTime<Utc>> {
        const A_MILLENNIUM: i64 = 32_000_000_000;
        match self {
            Self::Number(number) if number.abs() > A_MILLENNIUM => {
                DateTime::from_timestamp_millis(*number)
            }
            Self::Number(seconds) => DateTime::from_timestamp(*seconds, 0),
            Self::Text(text) => {
                let text = text.replacen(' ', "T", 1);
                let with_offset = DateTime::parse_from_rfc3339(&text).map(|time| time.to_utc());
                let without = || NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f");
                with_offset
                    .or_else(|_| without().map(|time| time.and_utc()))
                    .ok()
            }
        }
    }
}

impl Sessions {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let rows = self.read()?;
        let console = Console::open(variables).await?;
        let mut done = operator::ImportedSessions::default();
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let batch: Vec<StoredSession> = rows.by_ref().take(BATCH).collect();
            let source = self.source.clone();
            done += operator::import_sessions(&console.services, &console.context, source, batch)
                .await?;
        }
        if self.json {
            output::print_json(&json!({
                "imported": done.imported, "expired": done.expired, "unknown": done.unknown,
            }))?;
        } else {
            output::print(&format!(
                "{} imported, {} expired, {} of people without an external id of {}",
                done.imported, done.expired, done.unknown, self.source
            ))?;
        }
        if done.imported == 0 {
            let why = "no session was imported: import the people first, with the same source";
            return Err(Failure::InvalidInput(why.to_owned()));
        }
        Ok(())
    }

    fn read(&self) -> Result<Vec<StoredSession>, Failure> {
        let name = self.file.display();
        let file = File::open(&self.file)
            .map_err(|error| Failure::InvalidInput(format!("{name} cannot be read: {error}")))?;
        let mut values: Vec<Value> = Vec::new();
        for value in Deserializer::from_reader(BufReader::new(file)).into_iter::<Value>() {
            match value {
                Ok(Value::Array(rows)) => values.extend(rows),
                Ok(row) => values.push(row),
                Err(error) => {
                    return Err(Failure::InvalidInput(format!(
                        "{name} is not JSON: {error}"
                    )));
                }
            }
        }
        let row = |(index, value): (usize, Value)| {
            let wrong =
                |why: String| Failure::InvalidInput(format!("{name}, row {}: {why}", index + 1));
            let row: Row = serde_json::from_value(value).map_err(|error| {
                wrong(format!("{error}. Each row has token, userId and expiresAt"))
            })?;
            let expires_at = row.expires_at.read().ok_or_else(|| {
                wrong("expiresAt is no time of RFC 3339 and no number since 1970".to_owned())
            })?;
            Ok(StoredSession {
                token: row.token,
                external_id: match row.user_id {
                    UserId::Text(text) => text,
                    UserId::Number(number) => number.to_string(),
                },
                expires_at,
            })
        };
        values.into_iter().enumerate().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_databases_write_them() {
        let time = |json: &str| {
            let time: Time = serde_json::from_str(json).unwrap();
            time.read().map(|time| time.to_rfc3339())
        };
        let expected = Some("2026-12-06T15:55:04.418+00:00".to_owned());
        for json in [
            r#""2026-12-06T15:55:04.418Z""#,
            r#""2026-12-06T15:55:04.418""#,
            r#""2026-12-06 15:55:04.418""#,
            r#""2026-12-06 16:55:04.418+01:00""#,
            "1796572504418",
        ] {
            assert_eq!(time(json), expected, "{json}");
        }
        assert_eq!(
            time("1796572504").as_deref(),
            Some("2026-12-06T15:55:04+00:00")
        );
        assert_eq!(time(r#""tomorrow""#), None);
        assert_eq!(time("9223372036854775807"), None);
    }
}
