//! `--report FILE`: one line of JSON for each row, without names, addresses or hashes.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::cli::Failure;
use crate::service::operations::import::RowReport;

/// A report that is being written; only its owner can read it.
pub(super) struct ReportFile {
    path: PathBuf,
    file: BufWriter<File>,
}

impl ReportFile {
    /// Makes an empty file, or opens one whose run goes on.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn open(path: &Path, goes_on: bool) -> Result<Self, Failure> {
        let unwritable = |error: std::io::Error| {
            Failure::InvalidInput(format!(
                "--report {}: cannot be written: {error}. Nothing was imported.",
                path.display()
            ))
        };
        let file = OpenOptions::new()
            .create(true)
            .append(goes_on)
            .write(true)
            .truncate(!goes_on)
            .mode(0o600)
            .open(path)
            .map_err(unwritable)?;
        // One that was there may be readable by others.
        let only_owner = std::fs::Permissions::from_mode(0o600);
        file.set_permissions(only_owner).map_err(unwritable)?;
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::new(file),
        })
    }

    /// # Errors
    /// A sentence, if the disk is full, for example.
    pub(super) fn add(&mut self, rows: &[RowReport]) -> Result<(), String> {
        let written = rows.iter().try_for_each(|row| {
            serde_json::to_writer(&mut self.file, row)?;
            self.file.write_all(b"\n")
        });
        written
            .and_then(|()| self.file.flush())
            .map_err(|error| format!("--report {}: {error}", self.path.display()))
    }
}
