//! `GET /metrics` on a separate listener, in Prometheus' text format.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::fmt::Write as _;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, web};

use crate::service::hashing::Load;
use crate::service::hashing::rehashes::RehashLoad;
use crate::service::{
    Limits, Services, hashing_load, mail, mail_backlog, webhook_backlog, webhooks,
};

/// The application of the metrics listener.
pub fn configure(config: &mut ServiceConfig) {
    config.service(web::resource("/metrics").get(metrics));
}

async fn metrics(services: Data<Services>) -> HttpResponse {
    let (load, rehashes) = hashing_load(&services);
    let mail = mail_backlog(&services).await;
    let webhooks = webhook_backlog(&services).await;
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"))
        .body(
            exposition(&load, rehashes, mail, webhooks)
                + &hashing(&load, rehashes)
                + &limits(services.limits()),
        )
}

fn exposition(
    load: &Load,
    rehashes: RehashLoad,
    mail: Option<mail::Backlog>,
    webhooks: Option<webhooks::Backlog>,
) -> String {
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, labels: &str, value: &dyn std::fmt::Display| {
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "# HELP {name} {help}\n# TYPE {name} gauge\n{name}{labels} {value}\n"
        );
    };
    gauge(
        "hallpass_hash_lanes",
        "Password hashes that can be computed at once.",
        "",
        &load.lanes,
    );
    gauge(
        "hallpass_hash_lanes_busy",
        "Password hashes being computed.",
        "",
        &load.busy,
    );
    gauge(
        "hallpass_hash_queue_depth",
        "Password hashes waiting for a lane, or for a thread for imported ones.",
        "",
        &load.waiting,
    );
    gauge(
        "hallpass_imported_hashes_busy",
        "Imported password hashes being computed, but for bcrypt.",
        "",
        &load.deriving,
    );
    gauge(
        "hallpass_imported_hashes_bytes",
        "Memory that they use, in bytes.",
        "",
        &load.memory,
    );
    gauge(
        "hallpass_rehashes_waiting",
        "Outdated hashes of right passwords that wait to be replaced.",
        "",
        &rehashes.waiting,
    );
    if let Some((cost, time)) = load.last {
        gauge(
            "hallpass_last_hash_seconds",
            "How long the password hash done last was in a lane.",
            &format!("{{cost=\"{cost}\"}}"),
            &time.as_secs_f64(),
        );
    }
    if let Some(mail) = mail {
        gauge(
            "hallpass_letters_waiting",
            "E-mails that wait to be sent.",
            "",
            &mail.waiting,
        );
        gauge(
            "hallpass_letters_oldest_seconds",
            "How long the oldest waiting e-mail has waited, in seconds.",
            "",
            &mail.oldest_seconds.unwrap_or_default(),
        );
        gauge(
            "hallpass_letters_given_up",
            "E-mails of the last thirty days that were given up.",
            "",
            &mail.given_up,
        );
    }
    if let Some(webhooks) = webhooks {
        gauge(
            "hallpass_events_waiting",
            "Events that wait to be delivered to webhooks.",
            "",
            &webhooks.waiting,
        );
        gauge(
            "hallpass_events_oldest_seconds",
            "How long the oldest waiting event has waited, in seconds.",
            "",
            &webhooks.oldest_seconds.unwrap_or_default(),
        );
        gauge(
            "hallpass_events_given_up",
            "Events of the last thirty days that could not be delivered.",
            "",
            &webhooks.given_up,
        );
    }
    text
}

fn hashing(load: &Load, rehashes: RehashLoad) -> String {
    let mut text = String::new();
    for (name, help, value) in [
        (
            "hallpass_hash_iterations_total",
            "Iterations of bcrypt computed, and of imported functions as many as take that time.",
            load.computed,
        ),
        (
            "hallpass_rehashes_left_out_total",
            "Outdated hashes that the next sign-in replaces, because too many were waiting.",
            rehashes.left_out,
        ),
    ] {
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}\n"
        );
    }
    text
}

fn limits(limits: &Limits) -> String {
    let mut text = String::from(
        "# HELP hallpass_requests_limited_total Requests refused because their address asked for too much.\n\
         # TYPE hallpass_requests_limited_total counter\n",
    );
    for (group, count) in limits.refused() {
        let group = group.name();
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "hallpass_requests_limited_total{{group=\"{group}\"}} {count}"
        );
    }
    let _ = write!(
        text,
        "# HELP hallpass_attempt_locks_total How often wrong passwords were too many.\n\
         # TYPE hallpass_attempt_locks_total counter\n\
         hallpass_attempt_locks_total {}\n",
        limits.locks()
    );
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_metric_has_help_type_and_value() {
        let load = Load {
            lanes: 6,
            busy: 2,
            waiting: 3,
            deriving: 1,
            memory: 1 << 20,
            last: Some((12, Duration::from_millis(250))),
            computed: 4096,
        };
        let rehashes = RehashLoad {
            waiting: 7,
            left_out: 8,
        };
        let mail = mail::Backlog {
            waiting: 3,
            oldest_seconds: Some(40),
            given_up: 1,
        };
        let webhooks = webhooks::Backlog {
            waiting: 2,
            oldest_seconds: None,
            given_up: 5,
        };
        let text =
            exposition(&load, rehashes, Some(mail), Some(webhooks)) + &hashing(&load, rehashes);
        for line in [
            "hallpass_hash_lanes 6",
            "hallpass_hash_lanes_busy 2",
            "hallpass_hash_queue_depth 3",
            "hallpass_last_hash_seconds{cost=\"12\"} 0.25",
            "# TYPE hallpass_hash_queue_depth gauge",
            "hallpass_imported_hashes_busy 1",
            "hallpass_imported_hashes_bytes 1048576",
            "hallpass_rehashes_waiting 7",
            "# TYPE hallpass_hash_iterations_total counter",
            "hallpass_hash_iterations_total 4096",
            "hallpass_rehashes_left_out_total 8",
            "hallpass_letters_waiting 3",
            "hallpass_letters_oldest_seconds 40",
            "hallpass_letters_given_up 1",
            "hallpass_events_waiting 2",
            "hallpass_events_oldest_seconds 0",
            "hallpass_events_given_up 5",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
        assert!(text.ends_with('\n'));
    }

    #[test]
    fn before_the_first_hash_no_duration_is_reported() {
        let text = exposition(&Load::default(), RehashLoad::default(), None, None);
        assert!(!text.contains("hallpass_last_hash_seconds"));
    }

    #[test]
    fn refusals_are_counted_from_the_start() {
        let text = limits(&Limits::new(true));
        for line in [
            "hallpass_requests_limited_total{group=\"login\"} 0",
            "hallpass_requests_limited_total{group=\"general\"} 0",
            "# TYPE hallpass_requests_limited_total counter",
            "hallpass_attempt_locks_total 0",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
    }
}
