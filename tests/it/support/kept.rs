//! Programs that others have written, run for one test.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::cluster::{as_user, owner_of_files};
use super::eventually;

/// A running program. It stops, and its files are deleted, when this value or this process ends.
pub struct Kept {
    keeper: Child,
}

/// By whom a program is run where the tests are run by root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunBy {
    Root,
    /// As the program refuses root.
    SomebodyElse,
}

/// Stops the program at the end of the input, which comes even when this process is killed.
const KEEPER: &str = r#"
trap "" HUP INT TERM
directory=$1; shift
"$@" >>"$directory/log" 2>&1 & program=$!
read -r end
kill -KILL "$program"; wait "$program"
rm -rf "$directory"
"#;

impl Kept {
    /// Runs a program in a directory of its own, whose one file has these settings, until it listens on the port.
    /// `arguments` gets the path of the file.
    pub async fn start(
        (program, by): (&Path, RunBy),
        (name, settings): (&str, &str),
        arguments: impl FnOnce(&Path) -> Vec<String>,
        port: u16,
    ) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("hallpass-kept-")
            .tempdir()
            .unwrap()
            .keep();
        let file = directory.join(name);
        fs::write(&file, settings).unwrap();
        let mut command = Command::new("sh");
        if by == RunBy::SomebodyElse {
            let (uid, gid) = owner_of_files(&directory);
            for path in [&directory, &file] {
                chown(path, Some(uid), Some(gid)).unwrap();
            }
            command = as_user(command, uid, gid);
        }
        let keeper = command
            .args(["-c", KEEPER, "keeper"])
            .arg(&directory)
            .arg(program)
            .args(arguments(&file))
            .current_dir(&directory)
            .env("HOME", &directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C is for the tests; the shell notices their end.
            .process_group(0)
            .spawn()
            .expect("every Unix has sh");
        let kept = Self { keeper };
        let what = format!(
            "{} listens, or its log is in {directory:?}",
            program.display()
        );
        eventually(&what, async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_ok()
        })
        .await;
        kept
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// The program on the PATH, or else in one of these folders. `None` without it, with a message.
///
/// # Panics
/// Without it when `CI=true`, where a skipped test is a failure.
pub fn installed(name: &str, folders: &[&str], install: &str) -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&on_path)
        .chain(folders.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|program| program.exists());
    if found.is_none() {
        let missing = format!(
            "{name} is not installed (not in PATH or {})",
            folders.join(", ")
        );
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "{missing}, and CI=true: {install}"
        );
        eprintln!("\n*** {missing}: THIS TEST IS SKIPPED ***\n");
    }
    found
}
