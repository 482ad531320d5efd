//! Logging to standard error.

use std::fmt;
use std::io::{self, IsTerminal};

use tracing::field::Field;
use tracing_subscriber::Layer;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::fmt::{self as log, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;

use crate::config::{LogFormat, Logging};

/// Starts logging for the whole process. A second call changes nothing.
pub(super) fn start(logging: &Logging) {
    let layer = layer(logging, io::stderr().is_terminal(), io::stderr);
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer));
}

/// Times are UTC in RFC 3339, which is the formatter's default.
fn layer<W>(logging: &Logging, on_terminal: bool, writer: W) -> impl Layer<Registry>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let pretty = match logging.format {
        LogFormat::Json => false,
        LogFormat::Pretty => true,
        LogFormat::Auto => on_terminal,
    };
    let layer = log::layer().with_writer(writer);
    let layer = if pretty {
        layer
            .with_ansi(on_terminal && logging.colors)
            .fmt_fields(debug_fn(write_field).delimited(" "))
            .boxed()
    } else {
        layer
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .boxed()
    };
    layer.with_filter(logging.levels.clone())
}

/// The default formatter does not escape line breaks in messages, which would allow log injection.
fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    if field.name() != "message" {
        write!(writer, "{}=", field.name())?;
    }
    for c in format!("{value:?}").chars() {
        if c.is_control() {
            write!(writer, "{}", c.escape_default())?;
        } else {
            writer.write_char(c)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use chrono::DateTime;
    use serde_json::Value;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(format: LogFormat, levels: &str, act: impl FnOnce()) -> String {
        let logging = Logging {
            format,
            levels: levels.parse().unwrap(),
            colors: true,
        };
        written_with(&logging, false, act)
    }

    fn written_with(logging: &Logging, on_terminal: bool, act: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let layer = layer(logging, on_terminal, move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, act);
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    const HOSTILE: &str = "a\u{1b}[31m\nb\r\u{9b}c\0";

    fn log_hostile_values() {
        let span = tracing::info_span!("request", path = %HOSTILE, query = HOSTILE);
        let _entered = span.enter();
        tracing::info!(text = HOSTILE, shown = %HOSTILE, debugged = ?HOSTILE, "said {HOSTILE}");
    }

    #[test]
    fn pretty_lines_escape_control_characters_wherever_they_are() {
        let line = written(LogFormat::Pretty, "info", log_hostile_values);
        let line = line.strip_suffix('\n').unwrap();
        assert!(!line.chars().any(char::is_control), "{line:?}");
        for part in [
            "said a",
            "text=\"a",
            "shown=a",
            "debugged=\"a",
            "path=a",
            "query=\"a",
        ] {
            let escaped = format!(r"{part}\u{{1b}}[31m\nb\r\u{{9b}}c\");
            assert!(line.contains(&escaped), "{escaped} is not in {line}");
        }
    }

    #[test]
    fn json_lines_are_json_and_keep_the_values() {
        let line = written(LogFormat::Json, "info", log_hostile_values);
        assert_eq!(line.lines().count(), 1);
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["text"], HOSTILE);
        assert_eq!(line["shown"], HOSTILE);
        assert_eq!(line["message"], format!("said {HOSTILE}"));
        assert_eq!(line["span"]["path"], HOSTILE);
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn colors_are_for_terminals_that_want_them() {
        let has_colors = |colors, on_terminal| {
            let logging = Logging {
                format: LogFormat::Pretty,
                levels: "info".parse().unwrap(),
                colors,
            };
            written_with(&logging, on_terminal, || tracing::info!("hello")).contains('\u{1b}')
        };
        assert!(has_colors(true, true));
        assert!(!has_colors(false, true));
        assert!(!has_colors(true, false));
    }

    #[test]
    fn times_are_utc_in_rfc_3339() {
        let act = || tracing::info!("now");
        let json: Value = serde_json::from_str(&written(LogFormat::Json, "info", act)).unwrap();
        let pretty = written(LogFormat::Pretty, "info", act);
        for time in [
            json["timestamp"].as_str().unwrap(),
            pretty.split(' ').next().unwrap(),
        ] {
            assert!(time.ends_with('Z'), "{time}");
            assert!(DateTime::parse_from_rfc3339(time).is_ok(), "{time}");
        }
    }

    #[test]
    fn auto_is_json_without_a_terminal() {
        let line = written(LogFormat::Auto, "info", || tracing::info!("hello"));
        assert!(line.starts_with('{'), "{line}");
    }

    #[test]
    fn levels_can_be_set_by_module() {
        let act = || {
            tracing::info!(target: "actix_server", "starting");
            tracing::warn!(target: "actix_server", "stopping");
            tracing::debug!(target: "hallpass", "looking");
        };
        let lines = written(LogFormat::Pretty, "info,actix_server=warn", act);
        assert!(
            !lines.contains("starting") && !lines.contains("looking"),
            "{lines}"
        );
        assert!(lines.contains("stopping"), "{lines}");
    }
}
