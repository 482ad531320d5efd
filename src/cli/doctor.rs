//! `hallpass doctor`

use std::time::Duration;

use clap::Args;
use serde_json::json;
use stored_passwords::Peppers;

use super::backup::{json_of, lack};
use super::{Failure, output};
use crate::app::{App, Inspection};
use crate::config::{Config, Database, Mode, SettingErrors, Tokens, Variables};
use crate::crypto::token_keys::SecretUse;
use crate::domain::{JoinPolicy, SelfService};
use crate::service::hashing::measure::Speed;
use crate::service::hashing::{default_threads, memory_budget};
use crate::service::operations::keys::Lost;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass doctor",
    "hallpass doctor --latency 500",
    "hallpass doctor --json | jq .recommended",
);

const LACKS_A_PROXY: &str = "Proxies: PUBLIC_URL is https, so a reverse proxy is in front, but TRUSTED_PROXIES is \
                             empty: all clients count as one address and share every limit and lock. Set it to \
                             the network of the proxy, such as TRUSTED_PROXIES=10.0.0.0/8.";

/// The valid values of BCRYPT_COST.
const COSTS: std::ops::RangeInclusive<u32> = 10..=16;

#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Maximum time to hash one password on an idle server, in milliseconds
    #[arg(long, default_value_t = 250, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=60_000))]
    latency: u64,
    /// Number of HASHING_THREADS to assume [default: number of CPU cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
}

/// Measures this machine, which should be idle.
pub(super) async fn run(doctor: &Doctor, variables: &Variables) -> Result<(), Failure> {
    let database = Config::read_database(variables, Mode::Serve);
    if let Ok(database) = &database {
        output::note(&format!("database: {database}"));
    }
    // Other commands report settings that are not valid.
    let server = Config::read_server(variables).ok();
    let lacks_a_proxy = server.map(|server| server.lacks_a_proxy());
    let tokens = Config::read_tokens(variables).ok();
    let peppers = Config::read_peppers(variables);
    let inspection = inspect(database, tokens.as_ref(), peppers).await;
    let self_service = Config::read_self_service(variables);
    let threads = doctor.threads.map_or_else(default_threads, usize::from);
    let target = Duration::from_millis(doctor.latency);
    let speed = Speed::measure();
    let recommended = recommended(&speed, target);
    if doctor.json {
        let costs: Vec<_> = COSTS
            .map(|cost| {
                json!({
                    "cost": cost,
                    "aloneMs": milliseconds(speed.alone(cost)),
                    "busyMs": milliseconds(speed.together(cost)),
                    "perSecond": tenths(speed.per_second(cost, threads)),
                })
            })
            .collect();
        let found = inspection.ok().flatten();
        let found = found.as_ref();
        return output::print_json(&json!({
            "threads": threads,
            "lanes": threads * speed.lanes,
            "latencyMs": doctor.latency,
            "recommended": recommended,
            "costs": costs,
            "mail": found.map(|found| json!({
                "waiting": found.mail.waiting,
                "oldestSeconds": found.mail.oldest_seconds,
                "givenUp": found.mail.given_up,
            })),
            "lost": found.and_then(|found| found.lost.as_ref()).map(|lost| json!({
                "keys": lost.keys.iter().map(json_of).collect::<Vec<_>>(),
                "emails": lost.emails,
            })),
            "openOrganizations": found.map(|found| found.open_organizations),
            "unusablePasswords": found.map(|found| found.unusable_passwords),
            "importedPasswordsBytes": memory_budget(threads),
            "lacksTrustedProxies": lacks_a_proxy,
            "sharedSecretSigns": tokens.map(|tokens| tokens.secret_use() != SecretUse::Refused),
            "selfService": self_service.ok().map(|rules| json!({
                "registration": rules.registration,
                "organizationCreation": rules.organization_creation,
                "slackRegistration": rules.slack_registration,
                "slackOrganizationCreation": rules.slack_organization_creation,
                "registrationDomains": rules.domains.names().collect::<Vec<_>>(),
                "slackWorkspaces": rules.slack_workspaces,
            })),
        }));
    }
    output::print_table(
        ["BCRYPT_COST", "ALONE", "ALL LANES BUSY", "PER SECOND"],
        COSTS.map(|cost| {
            [
                cost.to_string(),
                format!("{:.0} ms", milliseconds(speed.alone(cost))),
                format!("{:.0} ms", milliseconds(speed.together(cost))),
                format!("{:.1}", speed.per_second(cost, threads)),
            ]
        }),
    )?;
    output::print(&format!(
        "\n{}\n\n{}\n\n{}\n\n{}",
        advice(recommended, threads, doctor.latency),
        about_memory(threads),
        about_self_service(&self_service),
        about_database(&inspection)
    ))?;
    if lacks_a_proxy == Some(true) {
        output::print(&format!("\n{LACKS_A_PROXY}"))?;
    }
    if let Some(warning) = tokens.as_ref().and_then(Tokens::warning) {
        output::print(&format!("\nTokens: {warning}"))?;
    }
    Ok(())
}

/// Inspects the database that `serve` would use; `None` if it does not exist yet.
async fn inspect(
    database: Result<Database, SettingErrors>,
    tokens: Option<&Tokens>,
    peppers: Result<Peppers, SettingErrors>,
) -> Result<Option<Inspection>, Failure> {
    Ok(App::inspect(&database?, tokens, &peppers?).await?)
}

fn about_database(inspection: &Result<Option<Inspection>, Failure>) -> String {
    match inspection {
        Ok(Some(found)) => format!(
            "E-mail: {}\n\n{}\n\n{}\n\n{}",
            found.mail,
            about_organizations(found.open_organizations),
            about_keys(found.lost.as_ref()),
            about_passwords(found.unusable_passwords)
        ),
        Ok(None) => {
            "E-mail, organizations, keys and passwords: not checked, because there is no database yet."
                .to_owned()
        }
        Err(failure) => {
            format!("E-mail, organizations, keys and passwords: not checked: {failure}")
        }
    }
}

fn about_self_service(rules: &Result<SelfService, SettingErrors>) -> String {
    let rules = match rules {
        Ok(rules) => rules,
        Err(errors) => return format!("Registration: not checked: {errors}"),
    };
    let open: Vec<String> = [
        ("REGISTRATION", rules.registration),
        ("ORGANIZATION_CREATION", rules.organization_creation),
        ("SLACK_REGISTRATION", rules.slack_registration),
        (
            "SLACK_ORGANIZATION_CREATION",
            rules.slack_organization_creation,
        ),
    ]
    .into_iter()
    .filter(|(_, policy)| matches!(policy, JoinPolicy::Open | JoinPolicy::Domain))
    .map(|(setting, policy)| format!("{setting}={policy}"))
    .collect();
    if open.is_empty() {
        return "Registration: people without an invitation can create neither accounts nor organizations."
            .to_owned();
    }
    let workspaces = match rules.slack_workspaces.as_slice() {
        [] => "every workspace".to_owned(),
        ids => ids.join(", "),
    };
    format!(
        "Registration: people without an invitation can create accounts or organizations, because of {}. Those of \
         Slack apply to {workspaces}, if sign-in with Slack is set up.",
        open.join(", ")
    )
}

fn about_passwords(unusable: u64) -> String {
    if unusable == 0 {
        return "Passwords: every stored one can be used.".to_owned();
    }
    format!(
        "Passwords: {unusable} stored ones cannot be used, because of an unknown form, of what they would cost, or of a \
         HALLPASS_IMPORT_PEPPER that is not set. The log names the account at each sign-in; its owner can reset it."
    )
}

/// What a first morning after an import may need.
fn about_memory(threads: usize) -> String {
    let mebibytes = memory_budget(threads) >> 20;
    format!(
        "Imported passwords: until their owners have signed in once, computing them takes up to {mebibytes} MiB of \
         memory beside the rest."
    )
}

fn about_organizations(open: i64) -> String {
    if open == 0 {
        return "Organizations: none can be joined without an invitation.".to_owned();
    }
    format!(
        "Organizations: {open} can be joined by anyone who knows the id. Their admins can change the joinPolicy; \
         DEFAULT_JOIN_POLICY applies to new organizations."
    )
}

fn about_keys(lost: Option<&Lost>) -> String {
    match lost {
        None => "Keys: not checked, because JWT_SECRET is not set as for the server, or the database is to be migrated."
            .to_owned(),
        Some(lost) if lost.is_nothing() => {
            "Keys: JWT_SECRET and JWT_SIGNING_KEY have every key that the database needs.".to_owned()
        }
        Some(lost) => format!("Keys: {}.", lack(lost)),
    }
}

/// The highest cost at which a single hash meets the target.
fn recommended(speed: &Speed, target: Duration) -> Option<u32> {
    COSTS.rev().find(|&cost| speed.alone(cost) <= target)
}

fn advice(recommended: Option<u32>, threads: usize, latency: u64) -> String {
    let threads = match threads {
        1 => "one hashing thread".to_owned(),
        more => format!("{more} hashing threads"),
    };
    match recommended {
        Some(cost) => format!(
            "With {threads}: BCRYPT_COST={cost} is the highest cost that takes at most {latency} ms."
        ),
        None => format!(
            "With {threads}: every safe cost takes more than {latency} ms on this machine. Use the minimum, \
             BCRYPT_COST={}, or a faster machine.",
            COSTS.start()
        ),
    }
}

/// Rounds to a tenth, which is as precise as the measurements.
fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn milliseconds(time: Duration) -> f64 {
    tenths(time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A single hash with cost 10 takes 51.2 ms.
    const SPEED: Speed = Speed {
        alone: 50e-6,
        together: 100e-6,
        lanes: 6,
    };

    #[test]
    fn the_highest_cost_within_the_target_is_recommended() {
        for (target, cost) in [
            (51, None),
            (52, Some(10)),
            (204, Some(11)),
            (205, Some(12)),
            (60_000, Some(16)),
        ] {
            assert_eq!(recommended(&SPEED, Duration::from_millis(target)), cost);
        }
    }

    #[test]
    fn open_organizations_are_reported() {
        assert!(about_organizations(3).contains("3 can be joined by anyone"));
        assert!(about_organizations(3).contains("DEFAULT_JOIN_POLICY"));
        assert!(about_organizations(0).contains("none can be joined"));
        assert!(about_database(&Ok(None)).contains("no database"));
    }

    #[test]
    fn passwords_that_cannot_be_used_and_memory_are_reported() {
        assert!(about_passwords(0).contains("every stored one"));
        assert!(about_passwords(12).contains("12 stored ones cannot be used"));
        for (threads, budget) in [(1, "256 MiB"), (2, "256 MiB"), (4, "512 MiB")] {
            assert!(about_memory(threads).contains(budget), "{threads}");
        }
    }

    #[test]
    fn what_is_open_to_everyone_is_reported() {
        let about = |given: &[(&str, &str)]| {
            let read = |name: &str| {
                let found = given.iter().find(|(setting, _)| *setting == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            about_self_service(&Config::read_self_service(&read))
        };
        let open = about(&[
            ("ORGANIZATION_CREATION", "invite"),
            ("SLACK_WORKSPACES", "T1,T2"),
        ]);
        assert!(
            open.contains("REGISTRATION=open, SLACK_REGISTRATION=open"),
            "{open}"
        );
        assert!(open.contains("T1, T2"), "{open}");
        let closed = about(&[
            ("REGISTRATION", "closed"),
            ("ORGANIZATION_CREATION", "closed"),
            ("SLACK_REGISTRATION", "invite"),
            ("SLACK_ORGANIZATION_CREATION", "closed"),
        ]);
        assert!(
            closed.contains("neither accounts nor organizations"),
            "{closed}"
        );
        assert!(about(&[("REGISTRATION", "domain")]).contains("REGISTRATION_DOMAINS"));
    }

    #[test]
    fn the_advice_contains_the_setting() {
        assert_eq!(
            advice(Some(12), 1, 250),
            "With one hashing thread: BCRYPT_COST=12 is the highest cost that takes at most 250 ms."
        );
        assert!(advice(None, 3, 20).contains("3 hashing threads"));
        assert!(advice(None, 3, 20).contains("BCRYPT_COST=10"));
    }
}
