//! Reads or generates a password. It is never an argument, because other users can see those.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::PathBuf;

use clap::Args;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::oneshot;

use crate::cli::{Failure, output};
use crate::config::random_secret;

/// Where the password comes from: standard input, unless it says otherwise.
#[derive(Debug, Args)]
pub(super) struct PasswordSource {
    /// Read the password from the first line of this file instead of standard input
    #[arg(long, value_name = "PATH", conflicts_with = "generate_password")]
    password_file: Option<PathBuf>,
    /// Generate a password and print it once
    #[arg(long)]
    generate_password: bool,
}

impl PasswordSource {
    pub(super) fn is_generated(&self) -> bool {
        self.generate_password
    }

    /// Asks twice on a terminal, which does not show what is typed.
    pub(super) async fn read(&self) -> Result<SecretString, Failure> {
        if self.generate_password {
            generate()
        } else if let Some(path) = &self.password_file {
            let name = path.display().to_string();
            let file = File::open(path).map_err(|error| unreadable(&name, &error))?;
            first_line(BufReader::new(file), &name)
        } else if io::stdin().is_terminal() {
            ask_twice().await
        } else {
            first_line(io::stdin().lock(), STDIN)
        }
    }
}

/// Prints a generated password.
pub(super) fn show(password: Option<&str>) -> Result<(), Failure> {
    match password {
        Some(password) => output::print(&format!("\nPassword (not shown again): {password}")),
        None => Ok(()),
    }
}

const STDIN: &str = "standard input";

/// 20 random characters.
fn generate() -> Result<SecretString, Failure> {
    random_secret::<15>().map_err(|error| Failure::Failed(error.to_string()))
}

/// A terminal that shows nothing of what is typed but line breaks, until this is dropped.
struct Hidden(Termios);

impl Hidden {
    fn begin() -> rustix::io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        hidden.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // If the terminal is gone, there is nothing to restore.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// Reads a password that exists, from the first line of standard input; on a terminal it is asked for and not shown.
pub(crate) async fn read_once() -> Result<SecretString, Failure> {
    if !io::stdin().is_terminal() {
        return first_line(io::stdin().lock(), STDIN);
    }
    let _hidden = Hidden::begin().map_err(|error| unreadable(STDIN, &error.into()))?;
    ask("Password (not shown): ").await
}

async fn ask_twice() -> Result<SecretString, Failure> {
    let _hidden = Hidden::begin().map_err(|error| unreadable(STDIN, &error.into()))?;
    let password = ask("Password (not shown): ").await?;
    let again = ask("The same again: ").await?;
    if password.expose_secret() == again.expose_secret() {
        Ok(password)
    } else {
        Err(Failure::InvalidInput(
            "the two passwords differ; nothing was changed".to_owned(),
        ))
    }
}

/// Reads a line, or ends at Ctrl-C with an error, so that the terminal shows again what is typed.
async fn ask(prompt: &str) -> Result<SecretString, Failure> {
    #[expect(clippy::print_stderr, reason = "a prompt is not part of the output")]
    {
        eprint!("{prompt}");
    }
    let (send, line) = oneshot::channel();
    // A thread of its own, because the end of the process waits for no such thread.
    std::thread::spawn(move || send.send(first_line(io::stdin().lock(), STDIN)));
    let interrupted = || Failure::Failed("interrupted; nothing was changed".to_owned());
    tokio::select! {
        line = line => line.map_err(|_| interrupted())?,
        _ = tokio::signal::ctrl_c() => Err(interrupted()),
    }
}

fn first_line(mut source: impl BufRead, name: &str) -> Result<SecretString, Failure> {
    let mut line = String::new();
    source
        .read_line(&mut line)
        .map_err(|error| unreadable(name, &error))?;
    let password = line.strip_suffix('\n').unwrap_or(&line);
    let password = SecretString::from(password.strip_suffix('\r').unwrap_or(password));
    if password.expose_secret().is_empty() {
        return Err(Failure::InvalidInput(format!(
            "{name} contains no password; put it on the first line, or use --generate-password"
        )));
    }
    Ok(password)
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::InvalidInput(format!("{name} cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_the_first_line_without_its_line_break() {
        for text in ["open sesame ", "open sesame \n", "open sesame \r\nmore\n"] {
            let password = first_line(text.as_bytes(), "test").unwrap();
            assert_eq!(password.expose_secret(), "open sesame ");
        }
        for text in ["", "\n", "\r\n", "\nlater"] {
            assert!(first_line(text.as_bytes(), "test").is_err());
        }
        assert!(first_line(&b"\xff\n"[..], "test").is_err());
    }

    #[test]
    fn generated_passwords_differ() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert_eq!(one.expose_secret().len(), 20);
        assert_ne!(one.expose_secret(), other.expose_secret());
    }
}
