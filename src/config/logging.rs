//! The log format and the log levels.

use tracing_subscriber::filter::Targets;

use super::reader::Reader;
use super::setting_error::{Problem, quoted};
use super::settings::{LOG_FORMAT, NO_COLOR, RUST_LOG};
use super::values::one_of;

#[derive(Debug, Clone)]
pub struct Logging {
    pub format: LogFormat,
    pub levels: Targets,
    /// Whether lines on a terminal may have colors.
    pub colors: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Json,
    Pretty,
    /// Pretty on a terminal, JSON otherwise.
    Auto,
}

impl Logging {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let formats = [
            ("json", LogFormat::Json),
            ("pretty", LogFormat::Pretty),
            ("auto", LogFormat::Auto),
        ];
        let format = reader.value(&LOG_FORMAT, one_of(&formats));
        let levels = reader.value(&RUST_LOG, |text| {
            text.parse::<Targets>().map_err(|_| {
                Problem::new(
                    format!("{} is not a list of log levels.", quoted(text)),
                    "Use a level such as info, or levels by module such as info,hallpass=debug.",
                )
            })
        });
        Some(Self {
            format: format?,
            levels: levels?,
            colors: !reader.is_given(&NO_COLOR),
        })
    }
}
