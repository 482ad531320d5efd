//! What a person at a terminal sees.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use super::{ADA, done};
use crate::process::{Server, hallpass_on};
use crate::support::{Db, OTHER_PASSWORD, PASSWORD, eventually};

/// A shell command on a terminal of its own, which `script` of util-linux provides.
struct Terminal {
    process: Child,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    fn open(db: &Db, line: &str) -> Self {
        let hallpass = hallpass_on(db, &[]);
        let mut command = Command::new("script");
        command
            .args(["-qec", line, "/dev/null"])
            .env_clear()
            .envs(
                hallpass
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .env("HALLPASS", hallpass.get_program())
            .env("PATH", std::env::var("PATH").unwrap())
            .env("SHELL", "/bin/sh")
            .current_dir(hallpass.get_current_dir().unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = command.spawn().expect("util-linux has script");
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (mut output, copy) = (process.stdout.take().unwrap(), Arc::clone(&shown));
        std::thread::spawn(move || {
            let mut part = [0; 1024];
            while let Ok(read @ 1..) = output.read(&mut part) {
                copy.lock().unwrap().extend_from_slice(&part[..read]);
            }
        });
        Self { process, shown }
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    async fn shows(&self, text: &str) {
        eventually(text, async || self.shown().contains(text)).await;
    }

    fn types(&mut self, keys: &str) {
        let stdin = self.process.stdin.as_mut().unwrap();
        stdin.write_all(keys.as_bytes()).unwrap();
    }

    async fn exit_code(&mut self) -> Option<i32> {
        let mut ended = None;
        eventually("the command has ended", async || {
            ended = self.process.try_wait().unwrap();
            ended.is_some()
        })
        .await;
        ended.unwrap().code()
    }
}

const SET_PASSWORD: &str = "\"$HALLPASS\" user set-password ada@acme.example";

#[actix_web::test]
async fn a_password_is_asked_for_twice_and_not_shown() {
    let db = Db::sqlite();
    let server = Server::with_acme(&db).await;
    let answers = async |again: &str| {
        let mut terminal = Terminal::open(&db, SET_PASSWORD);
        terminal.shows("Password (not shown)").await;
        terminal.types(&format!("{OTHER_PASSWORD}\n"));
        terminal.shows("The same again").await;
        terminal.types(&format!("{again}\n"));
        let code = terminal.exit_code().await;
        assert!(
            !terminal.shown().contains(OTHER_PASSWORD),
            "{}",
            terminal.shown()
        );
        (code, terminal.shown())
    };
    let (code, shown) = answers("Something-Else-7").await;
    assert_eq!(code, Some(65), "{shown}");
    assert!(shown.contains("differ"), "{shown}");
    server.logs_in(ADA, PASSWORD).await;
    let (code, shown) = answers(OTHER_PASSWORD).await;
    assert_eq!(code, Some(0), "{shown}");
    server.logs_in(ADA, OTHER_PASSWORD).await;
}

#[actix_web::test]
async fn an_interrupted_question_leaves_the_terminal_as_it_was() {
    let db = Db::sqlite();
    let _server = Server::with_acme(&db).await;
    let line = format!("trap : INT; {SET_PASSWORD}; echo \"code $?\"; stty -a");
    let mut terminal = Terminal::open(&db, &line);
    terminal.shows("Password (not shown)").await;
    terminal.types("half a pass\u{3}");
    terminal.shows("code 1").await;
    assert_eq!(terminal.exit_code().await, Some(0));
    terminal.shows(" echo ").await;
    assert_eq!(done(&db, &["user", "list"])[0]["email"], ADA);
    assert_eq!(super::rows(&db, "user.password_reset").await, 0);
}

#[actix_web::test]
async fn no_color_turns_colors_off() {
    // The port is taken, so the server ends after its first lines.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let has_colors = async |no_color: &str| {
        let line = format!("{no_color} PORT={port} LOG_FORMAT=pretty \"$HALLPASS\" serve");
        let mut terminal = Terminal::open(&Db::sqlite(), &line);
        assert_eq!(terminal.exit_code().await, Some(1));
        terminal.shows("applied a migration").await;
        terminal.shown().contains("\u{1b}[")
    };
    assert!(has_colors("NO_COLOR=").await);
    assert!(!has_colors("NO_COLOR=1").await);
}
