//! A directory for this test process, which is deleted however the process ends.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Scratch {
    directory: PathBuf,
    /// Its standard input is a pipe only this process holds: when the process ends, it reads the end and cleans up.
    _sweeper: Child,
}

static SCRATCH: OnceLock<Scratch> = OnceLock::new();

/// A path that no other test uses; nothing exists there yet.
pub fn fresh_path(name: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    directory().join(format!("{n}-{name}"))
}

/// A directory that no other test uses.
pub fn fresh_directory(name: &str) -> PathBuf {
    let path = fresh_path(name);
    std::fs::create_dir(&path).unwrap();
    path
}

fn directory() -> &'static Path {
    &SCRATCH
        .get_or_init(|| {
            let directory = tempfile::Builder::new()
                .prefix("hallpass-test-")
                .tempdir()
                .unwrap()
                .keep();
            let sweeper = Command::new("sh")
                .args([
                    "-c",
                    r#"trap "" HUP INT TERM; read _; rm -rf "$1""#,
                    "sweeper",
                ])
                .arg(&directory)
                .stdin(Stdio::piped())
                // A program that reads our output must not wait for this shell.
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("every Unix has sh");
            Scratch {
                directory,
                _sweeper: sweeper,
            }
        })
        .directory
}
