//! The real program in this process, on a port of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use hallpass::adapters::OsEntropy;
use hallpass::app::{App, BuildError, Overrides};
use hallpass::config::{Config, Mode};
use hallpass::domain::{Email, User};
use hallpass::sandbox::slack::SlackSandbox;
use hallpass::service::operations::operator::{Identifier, find_user};
use hallpass::service::{Error, RequestContext};
use serde_json::Value;
use tokio::sync::oneshot;

use super::client::{Call, Client};
use super::clock::StoppedClock;
use super::database::Db;

/// Signs the tokens of tests that do not depend on keys.
pub const SECRET: &str = "c1HqGm0Jr8vXn5sTzWqK3yLb7Rd2Fp6Ua9Ee4Oi";
/// Another one, for rotation.
pub const OTHER_SECRET: &str = "Zt7Yw4Vx1Uq8Sp5Ro2Nm9Lk6Ji3Hg0Fe7Dc4Ba1";

/// A running server and everything a test needs to control it.
pub struct TestApp {
    pub db: Db,
    pub clock: Arc<StoppedClock>,
    pub client: Client,
    pub config: Config,
    /// The Slack sandbox, if the test has one.
    pub slack: Option<SlackSandbox>,
    running: Option<Running>,
}

/// A server on a thread of its own, because an actix server needs a runtime of its own.
struct Running {
    stop: oneshot::Sender<()>,
    stopped: oneshot::Receiver<()>,
}

impl TestApp {
    pub async fn start(db: Db) -> Self {
        Self::configured(db, |_| {}).await
    }

    /// Starts with settings that differ from the usual ones.
    pub async fn configured(db: Db, change: impl FnOnce(&mut Config)) -> Self {
        Self::try_configured(db, change).await.unwrap()
    }

    /// As [`configured`](Self::configured), at another time than usual.
    pub async fn at(db: Db, now: DateTime<Utc>, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = usual_config(&db);
        change(&mut config);
        let clock = Arc::new(StoppedClock::at(now));
        Self::launch(db, config, clock, None).await.unwrap()
    }

    /// Starts with a Slack sandbox under the same clock.
    pub async fn with_slack(db: Db, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = usual_config(&db);
        change(&mut config);
        let clock = Arc::new(StoppedClock::new());
        let entropy = Arc::new(OsEntropy::new().unwrap());
        let slack = SlackSandbox::new(clock.clone(), entropy, Vec::new());
        Self::launch(db, config, clock, Some(slack)).await.unwrap()
    }

    /// Starts, or returns why it cannot.
    pub async fn try_start(db: Db) -> Result<Self, BuildError> {
        Self::try_configured(db, |_| {}).await
    }

    /// As [`configured`](Self::configured), or returns why it cannot start.
    pub async fn try_configured(
        db: Db,
        change: impl FnOnce(&mut Config),
    ) -> Result<Self, BuildError> {
        let mut config = usual_config(&db);
        change(&mut config);
        Self::launch(db, config, Arc::new(StoppedClock::new()), None).await
    }

    /// Another instance with the same database and clock.
    pub async fn second_instance(&self) -> Self {
        Self::launch(
            self.db.clone(),
            self.config.clone(),
            self.clock.clone(),
            self.slack.clone(),
        )
        .await
        .unwrap()
    }

    async fn launch(
        db: Db,
        config: Config,
        clock: Arc<StoppedClock>,
        slack: Option<SlackSandbox>,
    ) -> Result<Self, BuildError> {
        let (address, running) = run(config.clone(), clock.clone(), slack.clone()).await?;
        Ok(Self {
            db,
            clock,
            client: Client::new(address),
            config,
            slack,
            running: Some(running),
        })
    }

    /// Stops and starts again; existing clients talk to the new port.
    pub async fn restart(&mut self) {
        self.restart_configured(|_| {}).await;
    }

    pub async fn restart_configured(&mut self, change: impl FnOnce(&mut Config)) {
        self.stop().await;
        change(&mut self.config);
        self.restart_stopped().await;
    }

    /// Starts again after a [`stop`](Self::stop).
    pub async fn restart_stopped(&mut self) {
        let (address, running) = run(self.config.clone(), self.clock.clone(), self.slack.clone())
            .await
            .unwrap();
        self.client.moved_to(address);
        self.running = Some(running);
    }

    /// Stops as an operator would, and waits for the end.
    pub async fn stop(&mut self) {
        let Running { stop, stopped } = self.running.take().expect("the server runs");
        drop(stop);
        tokio::time::timeout(Duration::from_secs(15), stopped)
            .await
            .expect("a stop takes less than 15 seconds")
            .expect("the server ends without a panic");
    }

    /// The program as the command line uses it: with the same database, without the server.
    pub async fn operator_app(&self) -> App {
        build(self.config.clone(), self.clock.clone(), None)
            .await
            .unwrap()
    }

    /// One line of `/readyz?verbose` of an instance that is ready.
    pub async fn readiness(&self, name: &str) -> Value {
        let ready = self.get("/readyz?verbose").await.expect(200);
        let mut checks = ready["checks"].as_array().unwrap().iter();
        checks.find(|check| check["name"] == name).unwrap().clone()
    }

    pub fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    pub fn get(&self, path: &str) -> Call {
        self.client.get(path)
    }

    pub fn post(&self, path: &str) -> Call {
        self.client.post(path)
    }
}

/// Migrates a database to the program's schema.
pub async fn migrate(db: &Db) {
    build(usual_config(db), Arc::new(StoppedClock::new()), None)
        .await
        .unwrap();
}

/// The user with this address, as an operator's command finds them.
pub async fn found(operator_app: &App, email: &str) -> Result<User, Error> {
    let identifier = Identifier::Email(Email::parse(email).unwrap());
    find_user(operator_app.services(), identifier).await
}

/// The request context of an operator.
pub fn operator_context() -> RequestContext {
    RequestContext {
        request_id: "operator".to_owned(),
        address: None,
        device: None,
        is_counted_as_hashing: false,
        browser: None,
    }
}

async fn build(
    config: Config,
    clock: Arc<StoppedClock>,
    slack_sandbox: Option<SlackSandbox>,
) -> Result<App, BuildError> {
    let overrides = Overrides {
        clock: Some(clock),
        slack_sandbox,
        ..Overrides::default()
    };
    App::build(config, overrides).await
}

async fn run(
    config: Config,
    clock: Arc<StoppedClock>,
    slack: Option<SlackSandbox>,
) -> Result<(SocketAddr, Running), BuildError> {
    let (started, start) = oneshot::channel();
    let (stop, stop_order) = oneshot::channel::<()>();
    let (at_end, stopped) = oneshot::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let app = match build(config, clock, slack).await {
                Ok(app) => app,
                Err(why) => return started.send(Err(why)).unwrap_or_default(),
            };
            let handle = app.stop_handle();
            let _ = started.send(Ok(app.address()));
            let (served, ()) = tokio::join!(app.run(), async {
                // Dropping the sender is the order to stop.
                let _ = stop_order.await;
                handle.stop().await;
            });
            served.unwrap();
        });
        let _ = at_end.send(());
    });
    let address = start.await.expect("the server starts without a panic")?;
    Ok((address, Running { stop, stopped }))
}

fn usual_config(db: &Db) -> Config {
    let url = db.url();
    let environment = |name: &str| {
        let value = match name {
            "PORT" => "0",
            "PUBLIC_URL" => "http://localhost",
            "DATABASE_URL" => url.as_str(),
            "JWT_SECRET" => SECRET,
            "CORS_ALLOWED_ORIGINS" => "https://app.example",
            // All requests come from one address, far more than rate limits allow.
            "RATE_LIMITS" => "off",
            // Receivers of tests are on this machine.
            "WEBHOOK_ALLOW_PRIVATE" => "on",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let mut config = Config::read(&environment, Mode::Serve).unwrap();
    // Lower than the settings allow, and fast.
    config.passwords.bcrypt_cost = 4;
    config
}
