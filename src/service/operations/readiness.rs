//! Whether this instance can serve requests.

use crate::service::hashing::Load;
use crate::service::hashing::rehashes::RehashLoad;
use crate::service::sessions::follow_feed::Knowledge;
use crate::service::{Services, mail, webhooks};

/// One line of `/readyz?verbose`.
#[derive(Debug, Clone)]
pub struct Check {
    /// `database`, `writes`, `migrations`, `revocations`, `passwords`, `mail`, `webhooks`, `running`,
    /// and `standby` where there is one.
    pub name: &'static str,
    pub ok: bool,
    /// Whether a failure makes the instance not ready.
    pub decides: bool,
    /// One sentence for the operator, no secrets.
    pub detail: String,
}

#[derive(Debug, Clone)]
pub struct Readiness {
    pub checks: Vec<Check>,
}

impl Readiness {
    pub fn is_ready(&self) -> bool {
        self.checks.iter().all(|check| check.ok || !check.decides)
    }
}

/// The waiting e-mails; `None` while the database does not answer.
pub async fn mail_backlog(services: &Services) -> Option<mail::Backlog> {
    let backlog = mail::backlog(&services.store, services.now()).await;
    backlog.ok()
}

/// What webhooks are still to be told; `None` while the database does not answer.
pub async fn webhook_backlog(services: &Services) -> Option<webhooks::Backlog> {
    let backlog = webhooks::backlog(&services.store, services.now()).await;
    backlog.ok()
}

/// What the hashing threads are doing, and what waits until there is time.
pub fn hashing_load(services: &Services) -> (Load, RehashLoad) {
    (services.passwords.load(), services.passwords.rehash_load())
}

pub async fn readiness(services: &Services) -> Readiness {
    let engine = services.store.engine().name();
    let migrations = services.store.pending_migrations().await;
    let check = |name, ok, detail: &str| Check {
        name,
        ok,
        decides: true,
        detail: detail.to_owned(),
    };
    let database = match &migrations {
        Ok(_) => check("database", true, &format!("{engine} answers.")),
        // The cause may name hosts and users, so only the log shows it.
        Err(error) => {
            tracing::warn!(%error, "the database does not answer the readiness check");
            check(
                "database",
                false,
                &format!("{engine} does not answer; the log says why."),
            )
        }
    };
    let (takes_writes, writes) = match services.store.takes_writes().await {
        Ok(true) => (true, format!("{engine} takes writes.")),
        Ok(false) => (
            false,
            format!("{engine} is read-only: nobody can sign in, tokens are still good."),
        ),
        Err(_) => (
            false,
            "Unknown while the database does not answer.".to_owned(),
        ),
    };
    // All instances share the database. If this decided, none would be left for requests that need no write.
    let writes = Check {
        decides: false,
        ..check("writes", takes_writes, &writes)
    };
    // What waits to be sent does not decide: another instance would not send it sooner.
    let (mail, webhooks) = match &migrations {
        Ok(_) => (
            mail_backlog(services).await,
            webhook_backlog(services).await,
        ),
        Err(_) => (None, None),
    };
    let unknown = || "Unknown while the database does not answer.".to_owned();
    let mail = mail.map_or_else(unknown, |backlog| backlog.to_string());
    let webhooks = webhooks.map_or_else(unknown, |backlog| backlog.to_string());
    let migrations = match migrations.as_deref() {
        Ok([]) => check("migrations", true, "All migrations are applied."),
        Ok(_) => check(
            "migrations",
            false,
            "Migrations are missing: run `hallpass migrate`.",
        ),
        Err(_) => check(
            "migrations",
            false,
            "Unknown while the database does not answer.",
        ),
    };
    let (are_read, revocations) = revocations(services.revocations.knowledge());
    let revocations = check("revocations", are_read, &revocations);
    let standby = services.store.standby().await.map(|state| Check {
        decides: false,
        ..match state {
            Ok(()) => check("standby", true, "Lists are read at the standby."),
            Err(fault) => check(
                "standby",
                false,
                &format!("Lists are read from the primary: {fault}."),
            ),
        }
    });
    let running = if services.is_stopping() {
        check("running", false, "This instance is stopping.")
    } else {
        check("running", true, "This instance takes requests.")
    };
    let mut checks = vec![
        database,
        writes,
        migrations,
        revocations,
        check("passwords", true, &hashing(services.passwords.load())),
        check("mail", true, &mail),
        check("webhooks", true, &webhooks),
        running,
    ];
    checks.extend(standby);
    Readiness { checks }
}

/// What is known of revocations, and whether the instance can serve with it. While it reads them for the first time,
/// or from a standby, it checks tokens in the database, which answers.
fn revocations(knowledge: Knowledge) -> (bool, String) {
    match knowledge {
        Knowledge::Fresh => (
            true,
            "Revocations were read within the last two seconds.".to_owned(),
        ),
        Knowledge::Reading(so_far) => (
            true,
            format!(
                "Revocations are being read, {so_far} so far; tokens are checked in the database."
            ),
        ),
        Knowledge::Standby => (
            true,
            "The database is a standby; tokens are checked in it.".to_owned(),
        ),
        Knowledge::Stale => (
            false,
            "Revocations could not be read for two seconds; tokens are checked in the database."
                .to_owned(),
        ),
    }
}

/// A busy engine does not make the instance unready: it rejects at once what would wait too long.
fn hashing(load: Load) -> String {
    let Load {
        lanes,
        busy,
        waiting,
        last,
        ..
    } = load;
    let last = last.map_or(String::new(), |(cost, time)| {
        let milliseconds = time.as_millis();
        format!(" The last, of cost {cost}, took {milliseconds} ms.")
    });
    format!("{busy} of {lanes} hashes are being computed, {waiting} wait.{last}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_load_of_the_password_engine_is_one_line() {
        let mut load = Load {
            lanes: 6,
            busy: 2,
            ..Load::default()
        };
        assert_eq!(hashing(load), "2 of 6 hashes are being computed, 0 wait.");
        load.last = Some((12, Duration::from_micros(71_900)));
        assert_eq!(
            hashing(load),
            "2 of 6 hashes are being computed, 0 wait. The last, of cost 12, took 71 ms."
        );
    }
}
