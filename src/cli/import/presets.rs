//! `hallpass import presets`

use clap::{Args, Subcommand};
use people_files::presets;
use serde_json::json;

use crate::cli::{Failure, output};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass import presets list",
    "hallpass import presets show nextauth > acme.toml",
);

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the presets
    #[command(after_help = LIST_EXAMPLES)]
    List(List),
    /// Print the mapping of a preset, to copy and edit
    #[command(after_help = SHOW_EXAMPLES)]
    Show(Show),
}

const LIST_EXAMPLES: &str = examples!(
    "hallpass import presets list",
    "hallpass import presets list --json",
);

const SHOW_EXAMPLES: &str = examples!(
    "hallpass import presets show nextauth",
    "hallpass import presets show nextauth > acme.toml",
);

#[derive(Debug, Args)]
pub(super) struct List {
    /// Print the presets as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// Name of the preset
    name: String,
    /// Print its name and its mapping as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::List(list) => list.run(),
        Command::Show(show) => show.run(),
    }
}

impl List {
    fn run(self) -> Result<(), Failure> {
        let about = |preset: &presets::Preset| {
            let mapping = preset.mapping();
            mapping.ok().and_then(|it| it.about).unwrap_or_default()
        };
        if self.json {
            let all = presets::ALL.iter();
            let all = all.map(|it| json!({"name": it.name, "about": about(it)}));
            return output::print_json(&all.collect::<Vec<_>>());
        }
        output::print_table(
            ["NAME", "PEOPLE FROM"],
            presets::ALL
                .iter()
                .map(|it| [it.name.to_owned(), about(it)]),
        )
    }
}

impl Show {
    fn run(self) -> Result<(), Failure> {
        let preset =
            presets::find(&self.name).map_err(|error| Failure::InvalidInput(error.to_string()))?;
        if self.json {
            return output::print_json(&json!({"name": preset.name, "mapping": preset.toml}));
        }
        output::write(preset.toml)
    }
}
