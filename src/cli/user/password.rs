//! Reads or generates a new user's password. It is never an argument, because other users can see those.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use crate::cli::Failure;
use crate::config::random_secret;

/// 20 random characters.
pub(super) fn generate() -> Result<SecretString, Failure> {
    random_secret::<15>().map_err(|error| Failure::Failed(error.to_string()))
}

/// The first line of the file or of standard input.
pub(super) fn read(file: Option<&Path>) -> Result<SecretString, Failure> {
    let Some(path) = file else {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            #[expect(clippy::print_stderr, reason = "a prompt is not part of the output")]
            {
                eprint!("Password (visible as you type): ");
            }
        }
        return first_line(stdin.lock(), "standard input");
    };
    let name = path.display().to_string();
    let file = File::open(path)
        .map_err(|error| Failure::InvalidInput(format!("{name} cannot be read: {error}")))?;
    first_line(BufReader::new(file), &name)
}

fn first_line(mut source: impl BufRead, name: &str) -> Result<SecretString, Failure> {
    let mut line = String::new();
    source
        .read_line(&mut line)
        .map_err(|error| Failure::InvalidInput(format!("{name} cannot be read: {error}")))?;
    let password = line.strip_suffix('\n').unwrap_or(&line);
    let password = SecretString::from(password.strip_suffix('\r').unwrap_or(password));
    if password.expose_secret().is_empty() {
        return Err(Failure::InvalidInput(format!(
            "{name} contains no password; put it on the first line, or use --generate-password"
        )));
    }
    Ok(password)
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
