//! A bar on a terminal, and nothing elsewhere.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

const TICK: Duration = Duration::from_millis(200);

/// How many rows there are, if that is known, and what is done with them.
pub(super) fn bar(rows: Option<u64>, what: &'static str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match rows {
        Some(rows) => (
            ProgressBar::new(rows),
            "{msg} {wide_bar} {human_pos}/{human_len} ({per_sec}, {eta} left)",
        ),
        None => (ProgressBar::new_spinner(), "{msg} {human_pos} {spinner}"),
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    bar.with_message(what)
}
