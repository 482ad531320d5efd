//! Generates `docs/COMMANDS.md` from the definition of the command line.

use std::fmt::Write;

use clap::{Command, CommandFactory};

use super::Arguments;
use crate::http::generated::assert_up_to_date;

const INTRODUCTION: &str = "# Commands

Every command says with `--help` what this page says. Generated from `src/cli/`; to change it, change the help there.

- Settings come from the environment and `.env`, as for the server: see [CONFIGURATION.md](CONFIGURATION.md). Run a
  command in the directory of the server, with its environment.
- Every command that works with a database names it on standard error: `database: /var/lib/hallpass/hallpass.db`. Only
  `serve`, `dev` and `migrate` create one. The others end with exit code 66 where there is none and change nothing;
  `doctor`, which is also for machines without one, only says so.
- Running servers follow a change within a second. Every change leaves a row in the audit log, with the method
  `operator`.
- Passwords are never arguments, because other users of the machine can see those. On a terminal they are asked for
  twice and not shown.
- `--json` prints the result on standard output, in the form of the option's description: users as
  `{id, email, name, disabledAt, createdAt}`, and as members also `organizationId` and `role`; organizations as
  `{id, name, slug, joinPolicy, allowedDomains, requireMfa, tokenLifetime, sessionLifetime, sessionIdle, createdAt}`,
  lifetimes in seconds or null; sessions as `{id, kind, organizationId, device, address, createdAt, lastUsedAt,
  expiresAt}`; invitations as `{id, organizationId, email, role, expiresAt, link}`. New fields may be added. An error is
  plain text on standard error, with or without `--json`: scripts go by the exit code.
- `NO_COLOR` turns colors off, in help texts and in logs on a terminal.

| exit code | meaning |
|---|---|
| 0 | success |
| 1 | failure, as described in the message |
| 2 | invalid usage |
| 3 | a dry run of an import would refuse something |
| 65 | invalid input: a value breaks a rule, or names nothing that exists; an import has refused some rows |
| 66 | there is no database of Hallpass where the settings say |
| 69 | the database is unavailable |
| 78 | invalid settings |
| 130 | an import was stopped by a signal, and can be resumed |
";

fn page() -> String {
    let mut command = Arguments::command().term_width(100);
    command.build();
    let mut text = INTRODUCTION.to_owned();
    describe(&mut command, &mut text);
    text
}

/// Every command that can be run, with its help, which says the exit codes at its end.
fn describe(command: &mut Command, text: &mut String) {
    for subcommand in command.get_subcommands_mut() {
        if subcommand.get_name() == "help" {
            continue;
        }
        if subcommand.has_subcommands() {
            describe(subcommand, text);
            continue;
        }
        let name = subcommand.get_bin_name().unwrap_or_default().to_owned();
        let help = subcommand.render_long_help().to_string();
        let (help, _) = help.split_once("\nExit codes:").unwrap();
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        let help = lines.join("\n");
        write!(text, "\n## {name}\n\n```text\n{}\n```\n", help.trim_end()).unwrap();
    }
}

#[test]
fn the_page_of_commands_is_up_to_date() {
    assert_up_to_date("docs/COMMANDS.md", &page());
}
