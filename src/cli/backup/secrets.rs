//! The secrets of a server in a file of their own, beside a backup.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use crate::cli::Failure;
use crate::config::Tokens;

/// `hallpass.db.secrets` for `hallpass.db`.
pub(super) fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".secrets");
    name.into()
}

/// Lines of an `.env` file, which a shell can read as well.
pub(super) fn text(tokens: &Tokens) -> Result<SecretString, Failure> {
    let secrets = tokens.secrets.iter().map(SecretString::expose_secret);
    let secrets = secrets.collect::<Vec<_>>().join(",");
    let mut lines = vec![("JWT_SECRET", secrets)];
    if let Some(key) = &tokens.signing_text {
        lines.push(("JWT_SIGNING_KEY", key.expose_secret().to_owned()));
    }
    let mut text = String::new();
    for (name, value) in lines {
        if value.contains('\'') {
            return Err(Failure::Failed(format!(
                "{name} contains a single quote, and cannot be written to an .env file: keep it by hand"
            )));
        }
        text.push_str(&format!("{name}='{value}'\n"));
    }
    Ok(text.into())
}

pub(super) fn must_not_exist(file: &Path) -> Result<(), Failure> {
    match file.symlink_metadata() {
        Ok(_) => Err(Failure::Failed(format!(
            "{} exists already: name another file",
            file.display()
        ))),
        Err(_) => Ok(()),
    }
}

/// Only its owner can read it.
pub(super) fn write(text: &SecretString, file: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::Failed(format!("{} cannot be written: {error}", file.display()));
    let mut opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .map_err(failed)?;
    let written = opened.write_all(text.expose_secret().as_bytes());
    written.and_then(|()| opened.sync_all()).map_err(failed)
}
