//! The test harness: databases, a running program, a clock to move, and people who use it.

pub mod actors;
pub mod browser;
pub mod client;
pub mod clock;
pub mod cluster;
pub mod database;
pub mod emails;
pub mod follower;
pub mod gated;
pub mod jwt;
pub mod kept;
pub mod mfa;
pub mod network;
pub mod pg_proxy;
pub mod pgbouncer;
pub mod python;
pub mod receiver;
pub mod scratch;
pub mod slack;
pub mod smtp_sink;
pub mod test_app;

use std::time::{Duration, Instant};

pub use actors::{Actor, OTHER_PASSWORD, PASSWORD, member_body, organization_body};
pub use browser::{Browser, SESSION_COOKIE};
pub use client::Answer;
pub use database::Db;
pub use slack::SlackApp;
pub use test_app::{OTHER_SECRET, SECRET, TestApp};

/// What a test starts from.
pub trait Stage {
    async fn on(db: Db) -> Self;
}

impl Stage for Db {
    async fn on(db: Db) -> Self {
        db
    }
}

impl Stage for TestApp {
    async fn on(db: Db) -> Self {
        Self::start(db).await
    }
}

impl Stage for SlackApp {
    async fn on(db: Db) -> Self {
        Self::start(db).await
    }
}

/// Turns each function into two tests, `sqlite::…` and `postgres::…`.
///
/// It takes a [`TestApp`] that runs with the usual settings, or a [`Db`] to start its own on.
macro_rules! on_both_databases {
    ($($(#[doc = $doc:literal])* async fn $name:ident($($arg:ident)+: $stage:ident) $body:block)+) => {
        $($(#[doc = $doc])* async fn $name($($arg)+: $stage) $body)+

        mod sqlite {
            $(#[actix_web::test]
            async fn $name() {
                let db = crate::support::Db::sqlite();
                super::$name(<crate::support::$stage as crate::support::Stage>::on(db).await).await;
            })+
        }

        mod postgres {
            $(#[actix_web::test]
            async fn $name() {
                if let Some(db) = crate::support::Db::postgres().await {
                    super::$name(<crate::support::$stage as crate::support::Stage>::on(db).await).await;
                }
            })+
        }
    };
}
pub(crate) use on_both_databases;

/// Polls until the condition holds, and returns how long that took.
///
/// # Panics
/// After ten seconds: far above every promised time, so that a busy machine fails no test.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !holds().await {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "not within 10 s: {what}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    start.elapsed()
}
