//! The banner that `hallpass dev` prints at startup.

use std::fmt::Write;
use std::net::SocketAddr;

use serde_json::json;

use crate::app::seed::Seeded;

/// URLs, users and a command to paste, in at most 14 lines.
pub(super) fn banner(seeded: &Seeded, address: SocketAddr) -> String {
    let mut text = format!(
        "Hallpass is running in development mode, on this machine only. Press Ctrl-C to stop.\n\
         \n  Demo     http://{address}/demo\
         \n  Docs     http://{address}/docs\
         \n  OpenAPI  http://{address}/openapi.json\
         \n  Slack    http://{address}/dev/slack   Mail  http://{address}/dev/mailbox\n\
         \n{} ({}). Initial password: {}\n",
        seeded.organization_name, seeded.organization_id, seeded.password
    );
    for person in &seeded.people {
        let _ = write!(
            text,
            "  {:<9}{:<24}{}",
            person.role.as_str(),
            person.email.as_str(),
            person.name
        );
        if let Some(manager) = &person.reports_to {
            let _ = write!(text, ", reports to {manager}");
        }
        text.push('\n');
    }
    if let Some(person) = seeded.people.first() {
        let body = json!({"email": person.email.as_str(), "password": seeded.password});
        let body = body.to_string().replace('\'', r"'\''");
        let _ = write!(
            text,
            "\ncurl http://{address}/api/auth/login -H 'Content-Type: application/json' -d '{body}'"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::app::seed::SeededPerson;
    use crate::domain::{Email, OrganizationId, OrganizationName, PersonName, Role};

    fn person(name: &str, role: Role, reports_to: Option<&str>) -> SeededPerson {
        let first = name.split(' ').next().unwrap().to_lowercase();
        SeededPerson {
            name: PersonName::parse(name).unwrap(),
            email: Email::parse(&format!("{first}@acme.example")).unwrap(),
            role,
            reports_to: reports_to.map(|email| Email::parse(email).unwrap()),
        }
    }

    fn shown() -> String {
        let seeded = Seeded {
            organization_id: OrganizationId::new(DateTime::UNIX_EPOCH, [0; 10]),
            organization_name: OrganizationName::parse("Acme").unwrap(),
            people: vec![
                person("Ada Admin", Role::Admin, None),
                person("Mia Manager", Role::Manager, None),
                person("Bob Baker", Role::Employee, Some("mia@acme.example")),
                person("Eve Ellis", Role::Employee, None),
            ],
            password: "it's a secret",
        };
        banner(&seeded, "127.0.0.1:65535".parse().unwrap())
    }

    #[test]
    fn the_banner_fits_on_a_screen() {
        let banner = shown();
        assert!(banner.lines().count() <= 14, "{banner}");
        // The command may be longer: it must stay one line to be pasted.
        for line in banner.lines().filter(|line| !line.starts_with("curl ")) {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }

    #[test]
    fn the_banner_contains_urls_and_users() {
        let banner = shown();
        for part in [
            "http://127.0.0.1:65535/demo",
            "http://127.0.0.1:65535/docs",
            "http://127.0.0.1:65535/openapi.json",
            "http://127.0.0.1:65535/dev/slack ",
            "http://127.0.0.1:65535/dev/mailbox\n",
            "Acme (00000000-0000-7000-8000-000000000000)",
            "admin    ada@acme.example",
            "manager  mia@acme.example",
            "employee bob@acme.example        Bob Baker, reports to mia@acme.example",
            "employee eve@acme.example",
        ] {
            assert!(banner.contains(part), "{part} is not in\n{banner}");
        }
    }

    #[test]
    fn the_last_line_is_a_valid_shell_command() {
        let banner = shown();
        assert_eq!(
            banner.lines().last().unwrap(),
            concat!(
                r#"curl http://127.0.0.1:65535/api/auth/login -H 'Content-Type: application/json' -d "#,
                r#"'{"email":"ada@acme.example","password":"it'\''s a secret"}'"#
            )
        );
    }
}
