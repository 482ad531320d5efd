//! The real binary, as operators run it.

mod backup;
mod cli;
mod clock;
mod copy;
mod dev;
mod full_disk;
mod idle;
mod kill;
mod log;
mod mail;
mod moving_in;
mod moving_out;
mod network_cut;
mod operator;
mod race;
mod rolling_upgrade;
mod settings;
mod signals;

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::support::actors::organization_body;
use crate::support::client::Client;
use crate::support::cluster::free_port;
use crate::support::{Db, PASSWORD, SECRET, eventually, scratch};

/// `hallpass` with nothing in its environment and an empty working directory.
pub fn hallpass(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
    command
        .args(arguments)
        .env_clear()
        .current_dir(scratch::fresh_directory("cwd"))
        .stdin(Stdio::null());
    command
}

/// The same with the settings a production server needs.
pub fn hallpass_on(db: &Db, arguments: &[&str]) -> Command {
    let mut command = hallpass(arguments);
    command
        .env("DATABASE_URL", db.url())
        .env("JWT_SECRET", SECRET)
        .env("BCRYPT_COST", "10");
    command
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A server process; killed when dropped.
pub struct Server {
    process: Child,
    pub client: Client,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Server {
    async fn start(db: &Db) -> Self {
        Self::run(hallpass_on(db, &["serve"])).await
    }

    /// Runs a command that serves, and returns when it is ready.
    pub async fn run(command: Command) -> Self {
        let mut server = Self::launch(command);
        server.is_ready().await;
        server
    }

    /// Registers `ada@NAME.example` with an organization, signs in, and returns the access token.
    pub async fn signs_up(&self, name: &str) -> String {
        let email = format!("ada@{name}.example");
        let register = self.client.post("/api/auth/register");
        let body = organization_body(name, &email);
        register.json(&body).await.expect(201);
        self.signs_in(name).await
    }

    /// Signs in who has [signed up](Self::signs_up), and returns the access token.
    pub async fn signs_in(&self, name: &str) -> String {
        let email = format!("ada@{name}.example");
        let body = json!({"email": email, "password": PASSWORD});
        let signed_in = self.client.post("/api/auth/login").json(&body).await;
        let token = &signed_in.expect(200)["accessToken"];
        token.as_str().unwrap().to_owned()
    }

    /// Runs a command that will serve.
    fn launch(mut command: Command) -> Self {
        let port = free_port();
        let (stdout, stderr) = (scratch::fresh_path("stdout"), scratch::fresh_path("stderr"));
        let process = command
            .env("PORT", port.to_string())
            .stdout(File::create(&stdout).unwrap())
            .stderr(File::create(&stderr).unwrap())
            .spawn()
            .unwrap();
        Self {
            process,
            client: Client::new(([127, 0, 0, 1], port).into()),
            stdout,
            stderr,
        }
    }

    /// Waits until it is ready, and returns how long that took.
    async fn is_ready(&mut self) -> Duration {
        eventually("the server is ready", async || {
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}: {}", self.output());
            let answer = self.client.get("/readyz").try_send().await;
            answer.is_ok_and(|answer| answer.status == 200)
        })
        .await
    }

    /// Sends a signal by its name, e.g. `TERM`.
    fn signal(&self, name: &str) {
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.process.id())])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the end and returns the exit code.
    async fn exit_code(&mut self) -> Option<i32> {
        let mut status = None;
        eventually("the server has ended", async || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.unwrap().code()
    }

    /// Everything printed so far.
    pub fn output(&self) -> String {
        let read = |path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        read(&self.stdout) + &read(&self.stderr)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
