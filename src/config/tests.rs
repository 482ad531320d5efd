use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;

use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::settings::SECTIONS;
use super::{Config, Database, LogFormat, Mode, SettingErrors};
use crate::crypto::legacy_session::Format;
use crate::crypto::signing_key::generate;
use crate::crypto::token_keys::SecretUse;
use crate::domain::slack::SlackFlow;
use crate::domain::{JoinPolicy, MailTls, ProxyHeader, Role, SessionIdle, TokenDelivery};

const SECRET: &str = "k7Qv0ZpX3mLw9TtR5nYc1JhF8bGd2SaE";
const OTHER_SECRET: &str = "Zx8Nc2Vb6Mq1Wr5Ty9Ui3Op7As4Df0Gh";

/// Reads the settings, adding a strong secret if they do not set one.
fn read_as(mode: Mode, given: &[(&str, &str)]) -> Result<Config, SettingErrors> {
    let mut variables: BTreeMap<&str, &str> = given.iter().copied().collect();
    if !variables.contains_key("JWT_SECRET_FILE") {
        variables.entry("JWT_SECRET").or_insert(SECRET);
    }
    read_exactly(mode, &variables)
}

fn read_exactly(mode: Mode, variables: &BTreeMap<&str, &str>) -> Result<Config, SettingErrors> {
    Config::read(
        &|name: &str| variables.get(name).map(|value| (*value).to_owned()),
        mode,
    )
}

fn read(given: &[(&str, &str)]) -> Config {
    read_as(Mode::Serve, given).unwrap()
}

fn refused(given: &[(&str, &str)]) -> String {
    read_as(Mode::Serve, given).unwrap_err().to_string()
}

/// The names of the settings with errors, in order.
fn settings_in(errors: &str) -> Vec<&str> {
    errors
        .lines()
        .skip(1)
        .map(|line| line.trim().split_once(':').unwrap().0)
        .collect()
}

/// An empty directory, and the URL of a database in it.
fn database_directory() -> (TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/a.db", directory.path().display());
    (directory, url)
}

#[test]
fn only_a_secret_is_required() {
    let config = read(&[]);
    assert_eq!(config.server.host.to_string(), "127.0.0.1");
    assert_eq!(config.server.port, 8080);
    assert_eq!(config.server.public_url.as_str(), "http://127.0.0.1:8080/");
    assert!(config.server.cors_allowed_origins.is_empty());
    assert!(config.server.trusted_proxies.is_empty());
    assert_eq!(config.server.proxy_header, ProxyHeader::XForwarded);
    assert!(config.server.rate_limits);
    assert_eq!(config.server.metrics_addr, None);
    assert_eq!(config.server.drain_time.to_string(), "1s");
    assert!(
        matches!(&config.database, Database::Sqlite { path } if path.as_os_str() == "hallpass.db")
    );
    assert_eq!(config.tokens.secrets.len(), 1);
    assert_eq!(config.tokens.local_secret, None);
    assert!(config.tokens.signing.is_none());
    assert_eq!(config.tokens.warning(), None);
    assert_eq!((config.tokens.issuer, config.tokens.audience), (None, None));
    assert_eq!(config.passwords.bcrypt_cost, 12);
    assert_eq!(config.passwords.min_length, 8);
    assert_eq!(config.passwords.min_guesses, 1_000_000);
    assert_eq!(config.accounts.default_join_policy, JoinPolicy::Open);
    let rules = &config.self_service;
    for policy in [
        rules.registration,
        rules.organization_creation,
        rules.slack_registration,
        rules.slack_organization_creation,
    ] {
        assert_eq!(policy, JoinPolicy::Open);
    }
    assert_eq!(rules.domains.names().count(), 0);
    assert!(rules.slack_workspaces.is_empty());
    assert!(!config.accounts.require_verified_email);
    assert_eq!(config.accounts.sessions_per_user, 100);
    assert_eq!(config.tokens.lifetimes.token.seconds(), 604_800);
    assert_eq!(config.tokens.lifetimes.session.seconds(), 7_776_000);
    assert_eq!(config.tokens.lifetimes.idle, None);
    let kept = config.retention;
    let kept =
        [kept.sessions, kept.audit, kept.emails, kept.invitations].map(|kept| kept.to_string());
    assert_eq!(kept, ["30d", "400d", "30d", "30d"]);
    assert!(config.accounts.allowed_return_urls.is_empty());
    assert_eq!(config.accounts.app_url, config.server.public_url);
    assert_eq!(config.accounts.tenant_domain, None);
    assert!(config.slack.is_none());
    assert!(config.mail.server.is_none() && config.mail.sender.is_none());
    assert_eq!(config.logging.format, LogFormat::Auto);
}

#[test]
fn development_has_its_own_defaults() {
    let config = read_as(Mode::Dev, &[]).unwrap();
    assert!(
        matches!(&config.database, Database::Sqlite { path } if path.as_os_str() == "hallpass-dev.db")
    );
    assert!(config.server.cors_allowed_origins.is_empty());
    let slack = config.slack.unwrap();
    assert_eq!(slack.base_url.as_str(), "http://127.0.0.1:8080/dev/slack");
    let return_urls: Vec<String> = config
        .accounts
        .allowed_return_urls
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        return_urls,
        ["http://127.0.0.1:8080/", "http://localhost:3000/"]
    );
    assert_eq!(config.passwords.bcrypt_cost, 10);
    assert_eq!(config.logging.format, LogFormat::Pretty);
    let cheap = read_as(Mode::Dev, &[("BCRYPT_COST", "4")]).unwrap();
    assert_eq!(cheap.passwords.bcrypt_cost, 4);
}

#[test]
fn every_setting_is_documented_and_every_documented_setting_is_read() {
    let asked = RefCell::new(BTreeSet::new());
    let environment = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        (name == "JWT_SECRET").then(|| SECRET.to_owned())
    };
    Config::read(&environment, Mode::Serve).unwrap();
    let documented: BTreeSet<String> = SECTIONS
        .iter()
        .flat_map(|(_, settings)| *settings)
        .flat_map(|setting| {
            let file = setting.secret.then(|| format!("{}_FILE", setting.name));
            [Some(setting.name.to_owned()), file]
        })
        .flatten()
        .collect();
    assert_eq!(asked.into_inner(), documented);
}

#[test]
fn the_documented_examples_work_together() {
    let mut examples: BTreeMap<&str, &str> = SECTIONS
        .iter()
        .flat_map(|(_, settings)| *settings)
        .map(|setting| (setting.name, setting.example))
        .collect();
    examples.insert("JWT_SECRET", SECRET);
    examples.insert("SLACK_CLIENT_SECRET", "slack-secret");
    let config = read_exactly(Mode::Serve, &examples).unwrap();
    assert!(config.slack.is_some() && config.mail.server.is_some());
}

#[test]
fn an_empty_value_counts_as_not_set() {
    let config = read(&[
        ("PORT", ""),
        ("HOST", "  "),
        ("SLACK_CLIENT_ID", ""),
        ("SMTP_URL_FILE", ""),
        ("CORS_ALLOWED_ORIGINS", " , "),
    ]);
    assert_eq!(config.server.port, 8080);
    assert!(config.slack.is_none() && config.mail.server.is_none());
    assert!(config.server.cors_allowed_origins.is_empty());
}

#[test]
fn valid_values_are_parsed_into_the_config() {
    let config = read(&[
        ("HOST", "::"),
        ("PORT", "0"),
        ("PUBLIC_URL", "https://auth.example.com/id"),
        (
            "CORS_ALLOWED_ORIGINS",
            "https://App.example.com:443, http://localhost:3000/",
        ),
        ("TRUSTED_PROXIES", "10.1.2.3/8,::1"),
        ("TRUSTED_PROXY_HEADER", "forwarded"),
        ("RATE_LIMITS", "off"),
        ("METRICS_ADDR", "[::1]:9090"),
        ("DRAIN_TIME", "5m"),
        ("JWT_ISSUER", "https://auth.example.com"),
        ("JWT_AUDIENCE", "api"),
        ("BCRYPT_COST", "16"),
        ("PASSWORD_MIN_LENGTH", "6"),
        ("PASSWORD_MIN_GUESSES", "100000000"),
        ("DEFAULT_JOIN_POLICY", "invite"),
        ("REGISTRATION", "Domain"),
        ("ORGANIZATION_CREATION", "closed"),
        ("REGISTRATION_DOMAINS", "Example.com, bücher.example"),
        ("SLACK_WORKSPACES", "T0123ABCD, E0456EFGH"),
        ("SLACK_REGISTRATION", "domain"),
        ("SLACK_ORGANIZATION_CREATION", "invite"),
        ("REQUIRE_VERIFIED_EMAIL", "True"),
        ("SESSIONS_PER_USER", "1"),
        ("PEOPLE_CACHE_SIZE", "2000"),
        ("TOKEN_LIFETIME", "90m"),
        ("SESSION_LIFETIME", "365d"),
        ("SESSION_IDLE", "300s"),
        ("RETAIN_SESSIONS", "7d"),
        ("RETAIN_AUDIT", "3650d"),
        ("RETAIN_EMAILS", "240h"),
        ("RETAIN_INVITATIONS", "90d"),
        (
            "ALLOWED_RETURN_URLS",
            "https://app.example.com/auth,com.example.app://in",
        ),
        ("APP_URL", "https://app.example.com"),
        ("TENANT_DOMAIN", "Example.com"),
        (
            "SECURITY_CONTACT",
            "mailto:security@example.com, https://example.com/report",
        ),
        ("LOG_FORMAT", "json"),
        ("RUST_LOG", "warn,hallpass=trace"),
    ]);
    assert_eq!(config.server.host.to_string(), "::");
    assert_eq!(
        config.server.public_url.as_str(),
        "https://auth.example.com/id"
    );
    assert_eq!(
        config.server.cors_allowed_origins,
        ["https://app.example.com", "http://localhost:3000"]
    );
    let proxies: Vec<String> = config
        .server
        .trusted_proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(proxies, ["10.0.0.0/8", "::1/128"]);
    assert_eq!(config.server.proxy_header, ProxyHeader::Forwarded);
    assert!(!config.server.rate_limits);
    let contacts: Vec<&str> = config
        .server
        .security_contacts
        .iter()
        .map(url::Url::as_str)
        .collect();
    assert_eq!(
        contacts,
        ["mailto:security@example.com", "https://example.com/report"]
    );
    assert_eq!(
        config.server.metrics_addr,
        Some("[::1]:9090".parse().unwrap())
    );
    assert_eq!(config.server.drain_time.to_string(), "5m");
    assert_eq!(
        config.tokens.issuer.as_deref(),
        Some("https://auth.example.com")
    );
    assert_eq!(config.tokens.audience.as_deref(), Some("api"));
    assert_eq!(config.passwords.bcrypt_cost, 16);
    assert_eq!(config.passwords.min_length, 6);
    assert_eq!(config.passwords.min_guesses, 100_000_000);
    assert_eq!(config.accounts.default_join_policy, JoinPolicy::Invite);
    let rules = &config.self_service;
    assert_eq!(rules.registration, JoinPolicy::Domain);
    assert_eq!(rules.organization_creation, JoinPolicy::Closed);
    assert_eq!(
        rules.domains.to_stored(),
        "example.com xn--bcher-kva.example"
    );
    assert_eq!(rules.slack_workspaces, ["T0123ABCD", "E0456EFGH"]);
    assert_eq!(rules.slack_registration, JoinPolicy::Domain);
    assert_eq!(rules.slack_organization_creation, JoinPolicy::Invite);
    assert!(config.accounts.require_verified_email);
    assert_eq!(config.accounts.sessions_per_user, 1);
    assert_eq!(config.accounts.people_cache_size, 2000);
    let lifetimes = config.tokens.lifetimes;
    assert_eq!(lifetimes.token.seconds(), 5_400);
    assert_eq!(lifetimes.session.seconds(), 31_536_000);
    assert_eq!(lifetimes.idle.map(SessionIdle::seconds), Some(300));
    let kept = config.retention;
    let kept =
        [kept.sessions, kept.audit, kept.emails, kept.invitations].map(|kept| kept.to_string());
    assert_eq!(kept, ["7d", "3650d", "10d", "90d"]);
    assert_eq!(config.accounts.allowed_return_urls.len(), 2);
    assert_eq!(config.accounts.app_url.as_str(), "https://app.example.com/");
    assert_eq!(
        config.accounts.tenant_domain.as_deref(),
        Some("example.com")
    );
    assert_eq!(config.logging.format, LogFormat::Json);
    assert_eq!(config.logging.levels.to_string(), "hallpass=trace,warn");
}

#[test]
fn the_default_public_url_is_the_listen_address() {
    let url = |given: &[(&str, &str)]| read(given).server.public_url.to_string();
    assert_eq!(url(&[("PORT", "9000")]), "http://127.0.0.1:9000/");
    assert_eq!(url(&[("HOST", "::1")]), "http://[::1]:8080/");
}

#[test]
fn invalid_values_are_rejected_by_name() {
    for (name, value) in [
        ("HOST", "localhost"),
        ("HOST", "127.0.0.1:8080"),
        ("PORT", "http"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PUBLIC_URL", "auth.example.com"),
        ("PUBLIC_URL", "ftp://auth.example.com"),
        ("PUBLIC_URL", "https://auth.example.com/?a=b"),
        ("PUBLIC_URL", "https://auth.example.com/#a"),
        ("PUBLIC_URL", "https://ada:pw@auth.example.com"),
        ("CORS_ALLOWED_ORIGINS", "*"),
        ("CORS_ALLOWED_ORIGINS", "https://*.example.com"),
        ("CORS_ALLOWED_ORIGINS", "https://app.example.com/app"),
        ("CORS_ALLOWED_ORIGINS", "https://app.example.com?a"),
        ("CORS_ALLOWED_ORIGINS", "app.example.com"),
        ("CORS_ALLOWED_ORIGINS", "null"),
        ("CORS_ALLOWED_ORIGINS", "capacitor://localhost/"),
        ("CORS_ALLOWED_ORIGINS", "javascript://localhost"),
        ("TRUSTED_PROXIES", "10.0.0.0/33"),
        ("TRUSTED_PROXIES", "proxy"),
        ("TRUSTED_PROXY_HEADER", "x-real-ip"),
        ("RATE_LIMITS", "maybe"),
        ("DRAIN_TIME", "301s"),
        ("DRAIN_TIME", "-1s"),
        ("DRAIN_TIME", "10"),
        ("METRICS_ADDR", "9090"),
        ("METRICS_ADDR", "127.0.0.1:8080"),
        ("DATABASE_URL", "mysql://localhost/a"),
        ("DATABASE_URL", "hallpass.db"),
        ("DATABASE_URL", "sqlite:"),
        ("DATABASE_URL", "sqlite::memory:"),
        ("DATABASE_URL", "sqlite://:memory:"),
        ("DATABASE_URL", "sqlite:data/"),
        ("DATABASE_URL", "sqlite:a.db?mode=ro"),
        ("DATABASE_URL", "postgres://host:port/a"),
        ("DATABASE_URL", "postgres:a"),
        ("DATABASE_POOL_SIZE", "1"),
        ("DATABASE_POOL_SIZE", "101"),
        ("JWT_SECRET", "short"),
        ("JWT_SECRET", ","),
        ("BCRYPT_COST", "9"),
        ("BCRYPT_COST", "17"),
        ("BCRYPT_COST", "twelve"),
        ("PASSWORD_MIN_LENGTH", "5"),
        ("PASSWORD_MIN_LENGTH", "65"),
        ("PASSWORD_MIN_GUESSES", "999999"),
        ("PASSWORD_MIN_GUESSES", "1e6"),
        ("DEFAULT_JOIN_POLICY", "public"),
        ("REGISTRATION", "public"),
        ("ORGANIZATION_CREATION", "off"),
        ("REGISTRATION_DOMAINS", "*.example.com"),
        ("REGISTRATION_DOMAINS", "ada@example.com"),
        ("REGISTRATION_DOMAINS", ","),
        ("SLACK_WORKSPACES", "T1, numbers.slack.com"),
        ("SLACK_WORKSPACES", ","),
        ("SLACK_REGISTRATION", "all"),
        ("SLACK_ORGANIZATION_CREATION", "on"),
        ("REQUIRE_VERIFIED_EMAIL", "1"),
        ("SESSIONS_PER_USER", "0"),
        ("SESSIONS_PER_USER", "1001"),
        ("PEOPLE_CACHE_SIZE", "999"),
        ("PEOPLE_CACHE_SIZE", "10000001"),
        ("TOKEN_LIFETIME", "8d"),
        ("TOKEN_LIFETIME", "299s"),
        ("TOKEN_LIFETIME", "3600"),
        ("SESSION_LIFETIME", "14m"),
        ("SESSION_LIFETIME", "366d"),
        ("SESSION_IDLE", "never"),
        ("RETAIN_SESSIONS", "6d"),
        ("RETAIN_AUDIT", "3651d"),
        ("RETAIN_EMAILS", "forever"),
        ("RETAIN_INVITATIONS", "0"),
        ("SESSION_IDLE", "91d"),
        ("ALLOWED_RETURN_URLS", "https://*.example.com"),
        ("ALLOWED_RETURN_URLS", "http://app.example.com"),
        ("ALLOWED_RETURN_URLS", "javascript:alert(1)"),
        ("APP_URL", "app"),
        ("SECURITY_CONTACT", "security@example.com"),
        ("SECURITY_CONTACT", "http://example.com"),
        ("SECURITY_CONTACT", "mailto:"),
        ("SECURITY_CONTACT", "javascript:alert(1)"),
        ("TENANT_DOMAIN", "https://example.com"),
        ("TENANT_DOMAIN", "*.example.com"),
        ("TENANT_DOMAIN", "127.0.0.1"),
        ("SLACK_FLOW", "v1"),
        ("SLACK_BASE_URL", "http://slack.com"),
        ("SLACK_TOKEN_DELIVERY", "header"),
        ("SLACK_ALLOW_GUESTS", "some"),
        ("SLACK_FIRST_USER_ROLE", "owner"),
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "Hallpass <nobody>"),
        ("LOG_FORMAT", "xml"),
        ("RUST_LOG", "hallpass=loud"),
    ] {
        let errors = refused(&[(name, value)]);
        let names = settings_in(&errors);
        assert!(
            !names.is_empty() && names.iter().all(|found| *found == name),
            "{name}={value}: {errors}"
        );
    }
}

#[test]
fn the_policy_domain_requires_domains_and_at_slack_workspaces() {
    for (name, required) in [
        ("REGISTRATION", &["REGISTRATION_DOMAINS"][..]),
        ("ORGANIZATION_CREATION", &["REGISTRATION_DOMAINS"]),
        (
            "SLACK_REGISTRATION",
            &["REGISTRATION_DOMAINS", "SLACK_WORKSPACES"],
        ),
        (
            "SLACK_ORGANIZATION_CREATION",
            &["REGISTRATION_DOMAINS", "SLACK_WORKSPACES"],
        ),
    ] {
        let errors = refused(&[(name, "domain")]);
        assert_eq!(settings_in(&errors), required);
        assert!(
            errors.contains(&format!("because {name} is domain")),
            "{errors}"
        );
        let all = [
            (name, "domain"),
            ("REGISTRATION_DOMAINS", "example.com"),
            ("SLACK_WORKSPACES", "T1"),
        ];
        read(&all);
    }
}

#[test]
fn all_errors_are_reported_at_once() {
    let errors = refused(&[
        ("PORT", "http"),
        ("CORS_ALLOWED_ORIGINS", "*,https://app.example.com/app"),
        ("DATABASE_URL", "mysql://localhost/a"),
        ("JWT_SECRET", "short"),
        ("BCRYPT_COST", "1"),
        ("SLACK_CLIENT_ID", "1.2"),
        ("SMTP_URL", "smtp://localhost"),
        ("LOG_FORMAT", "xml"),
    ]);
    assert_eq!(
        settings_in(&errors),
        [
            "PORT",
            "CORS_ALLOWED_ORIGINS",
            "CORS_ALLOWED_ORIGINS",
            "DATABASE_URL",
            "BCRYPT_COST",
            "SLACK_CLIENT_SECRET",
            "MAIL_FROM",
            "LOG_FORMAT",
            "JWT_SECRET",
        ]
    );
}

#[test]
fn no_message_and_no_debug_output_contains_a_secret() {
    let errors = refused(&[
        ("PUBLIC_URL", "https://ada:hunter2@auth.example.com"),
        ("DATABASE_URL", "postgres://ada:hunter2@host:port/a"),
        ("JWT_SECRET", "hunter2hunter2hunter2hunter2hunter2,hunter2"),
        ("SLACK_CLIENT_SECRET", "hunter2"),
        ("SMTP_URL", "smtp//ada:hunter2@mail.example.com"),
        ("JWT_SECRET_FILE", "hunter2"),
        ("JWT_SIGNING_KEY", "hunter2"),
    ]);
    assert!(!errors.contains("hunter2"), "{errors}");
    let errors = refused(&[("JWT_SECRET_FILE", "hunter2")]);
    assert_eq!(settings_in(&errors), ["JWT_SECRET"]);
    assert!(!errors.contains("hunter2"), "{errors}");

    let config = read(&[
        ("DATABASE_URL", "postgres://ada:hunter2@host/a"),
        ("SLACK_CLIENT_ID", "1.2"),
        ("SLACK_CLIENT_SECRET", "hunter2"),
        ("SMTP_URL", "smtp://ada:hunter2@mail.example.com"),
        ("MAIL_FROM", "ada@example.com"),
    ]);
    let shown = format!("{config:?}");
    assert!(
        !shown.contains("hunter2") && !shown.contains(SECRET),
        "{shown}"
    );
}

#[test]
fn messages_escape_control_characters() {
    let errors = refused(&[("PORT", "80\u{1b}[31m\n80")]);
    assert!(errors.contains(r"80\u{1b}[31m\n80"), "{errors}");
}

#[test]
fn the_url_scheme_selects_the_database() {
    let path = |url| match read(&[("DATABASE_URL", url)]).database {
        Database::Sqlite { path } => path.display().to_string(),
        Database::Postgres(urls) => {
            assert_eq!(urls.pool_size, 8);
            assert!(urls.direct.is_none() && urls.standby.is_none());
            "a server".to_owned()
        }
    };
    assert_eq!(path("sqlite:a.db"), "a.db");
    assert_eq!(path("sqlite://data/a.db"), "data/a.db");
    assert_eq!(path("sqlite:///var/a.db"), "/var/a.db");
    assert_eq!(path("sqlite:/var/a.db"), "/var/a.db");
    assert_eq!(
        path("postgres://ada:pw@host:5432/a?sslmode=require"),
        "a server"
    );
    for socket in [
        "postgresql:///a?host=/run/postgresql",
        "postgres://ada@/a?host=/run/postgresql",
        "postgres://ada:p%40w+1@:5433/a?host=/run/postgresql",
        "postgres://ada:pw@%2Frun%2Fpostgresql/a",
        "postgres://ada:pw@h1:5432,h2:5433/a?target_session_attrs=primary",
    ] {
        assert_eq!(path(socket), "a server", "{socket}");
    }
}

#[test]
fn a_database_has_further_addresses_of_postgresql() {
    let pooler = ("DATABASE_URL", "postgres://ada:pw@pooler:6432/a");
    let given = [
        pooler,
        ("DATABASE_DIRECT_URL", "postgres://ada:pw@host/a"),
        ("DATABASE_READ_URL", "postgres://ada:pw@standby/a"),
    ];
    let Database::Postgres(urls) = read(&given).database else {
        panic!("it is PostgreSQL")
    };
    let shown = [Some(urls.requests), urls.direct, urls.standby]
        .map(|url| url.map_or(String::new(), |url| url.to_string()));
    let expected = [
        "postgres://ada@pooler:6432/a",
        "postgres://ada@host/a",
        "postgres://ada@standby/a",
    ];
    assert_eq!(shown, expected);
    for setting in ["DATABASE_DIRECT_URL", "DATABASE_READ_URL"] {
        for url in [
            "sqlite:hunter2.db",
            "mysql://hunter2@host/a",
            "postgres:hunter2",
        ] {
            let given = [pooler, (setting, url)];
            let errors = refused(&given);
            assert!(errors.contains(setting), "{errors}");
            assert!(!errors.contains("hunter2"), "{errors}");
            let environment = |name: &str| {
                let value = given.iter().find(|(key, _)| *key == name);
                value.map(|(_, value)| (*value).to_owned())
            };
            assert!(Config::read_database(&environment, Mode::Serve).is_err());
        }
    }
}

#[test]
fn the_name_of_a_database_does_not_contain_its_password() {
    let name = |url| read(&[("DATABASE_URL", url)]).database.to_string();
    for (url, shown) in [
        (
            "postgres://ada:pw@host/a?sslmode=require",
            "postgres://ada@host/a",
        ),
        (
            "postgres://ada:pw@/a?host=/run/postgresql",
            "postgres://ada@/a",
        ),
        (
            "postgres://ada:pw@%2Frun%2Fpostgresql/a",
            "postgres://ada@%2Frun%2Fpostgresql/a",
        ),
    ] {
        assert_eq!(name(url), shown);
    }
}

#[test]
fn a_secret_may_come_from_a_file_but_not_from_both() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("secret");
    fs::write(&file, format!("{SECRET}\n")).unwrap();
    let file = file.to_str().unwrap();
    for name in [
        "JWT_SECRET",
        "SLACK_CLIENT_SECRET",
        "SMTP_URL",
        "DATABASE_URL",
    ] {
        let by_file = format!("{name}_FILE");
        let both = refused(&[(name, SECRET), (&by_file, file)]);
        assert!(
            both.contains(&format!("  {name}: {by_file} is also set.")),
            "{both}"
        );
    }
    let config = read(&[
        ("JWT_SECRET_FILE", file),
        ("SLACK_CLIENT_ID", "1.2"),
        ("SLACK_CLIENT_SECRET_FILE", file),
    ]);
    assert_eq!(config.tokens.secrets[0].expose_secret(), SECRET);
    assert_eq!(config.slack.unwrap().client_secret.expose_secret(), SECRET);

    let missing = directory.path().join("missing");
    let missing = refused(&[("JWT_SECRET_FILE", missing.to_str().unwrap())]);
    assert!(
        missing.contains("JWT_SECRET_FILE cannot be read: No such file"),
        "{missing}"
    );
    fs::write(file, "\n").unwrap();
    let empty = refused(&[("JWT_SECRET_FILE", file)]);
    assert!(empty.contains("JWT_SECRET_FILE is empty"), "{empty}");
}

#[test]
fn signing_secrets_keep_their_order_and_are_checked_one_by_one() {
    let both = format!("{SECRET}, {OTHER_SECRET}");
    let config = read(&[("JWT_SECRET", &both)]);
    let secrets: Vec<&str> = config
        .tokens
        .secrets
        .iter()
        .map(ExposeSecret::expose_secret)
        .collect();
    assert_eq!(secrets, [SECRET, OTHER_SECRET]);

    let twice = refused(&[("JWT_SECRET", &format!("{SECRET},{OTHER_SECRET},{SECRET}"))]);
    assert!(twice.contains("Secret 3 of 3 is a duplicate."), "{twice}");
    let gap = refused(&[("JWT_SECRET", &format!("{SECRET},,"))]);
    assert!(gap.contains("Secret 2 of 3 is empty."), "{gap}");
    assert!(gap.contains("Secret 3 of 3 is empty."), "{gap}");
}

fn signing_key() -> String {
    generate().unwrap().expose_secret().to_owned()
}

#[test]
fn signing_keys_keep_their_order_and_are_checked_one_by_one() {
    let (first, second) = (signing_key(), signing_key());
    let kids = |value: &str| -> Vec<String> {
        let signing = read(&[("JWT_SIGNING_KEY", value)]).tokens.signing.unwrap();
        signing.iter().map(|key| key.kid().to_owned()).collect()
    };
    let both = kids(&format!("{first}{second}"));
    assert_eq!(both.len(), 2);
    assert_eq!(kids(&format!("{first},{second}")), both);
    assert_eq!(kids(&first), both[..1]);
    assert_eq!(kids(&second.replace('\n', "\\n")), both[1..]);

    let twice = refused(&[("JWT_SIGNING_KEY", &format!("{first}{second}{first}"))]);
    assert!(
        twice.contains("JWT_SIGNING_KEY: Key 3 of 3 is a duplicate."),
        "{twice}"
    );
    let older = second.replace("PRIVATE KEY", "EC PRIVATE KEY");
    for (bad, why) in [
        (
            format!("{first}{older}"),
            "Key 2 of 2 is a PEM text of another kind",
        ),
        (older, "The key is a PEM text of another kind"),
        (SECRET.to_owned(), "The key is not a PEM text"),
        (",".to_owned(), "The key is not a PEM text"),
        (format!("{first}{SECRET}"), "Key 2 of 2 is not a PEM text"),
        (
            first.replace("AgEAMBMG", "AgEBMBMG"),
            "The key is not a P-256 key",
        ),
    ] {
        let errors = refused(&[("JWT_SIGNING_KEY", &bad)]);
        assert_eq!(settings_in(&errors), ["JWT_SIGNING_KEY"]);
        assert!(errors.contains(why), "{errors}");
        assert!(
            errors.contains("`hallpass secret generate --es256`"),
            "{errors}"
        );
        assert!(
            !errors.contains(SECRET) && !errors.contains(&first[28..60]),
            "{errors}"
        );
    }
}

#[test]
fn the_shared_secret_can_be_refused_only_with_a_signing_key() {
    let errors = refused(&[("JWT_ACCEPT_SHARED_SECRET", "off")]);
    assert_eq!(settings_in(&errors), ["JWT_ACCEPT_SHARED_SECRET"]);
    assert!(errors.contains("Set JWT_SIGNING_KEY"), "{errors}");
    let errors = refused(&[
        ("JWT_ACCEPT_SHARED_SECRET", "off"),
        ("JWT_SIGNING_KEY", "x"),
    ]);
    assert_eq!(settings_in(&errors), ["JWT_SIGNING_KEY"]);
    let errors = refused(&[
        ("JWT_ACCEPT_SHARED_SECRET", "no"),
        ("JWT_SIGNING_KEY", &signing_key()),
    ]);
    assert_eq!(settings_in(&errors), ["JWT_ACCEPT_SHARED_SECRET"]);

    let key = signing_key();
    let tokens = |accept: &str| {
        read(&[
            ("JWT_SIGNING_KEY", &key),
            ("JWT_ACCEPT_SHARED_SECRET", accept),
        ])
        .tokens
    };
    for accept in ["", "on"] {
        assert_eq!(tokens(accept).secret_use(), SecretUse::Verifies);
        let warning = tokens(accept).warning().unwrap();
        assert!(warning.contains("Turn it off 7 days after"), "{warning}");
    }
    assert_eq!(tokens("off").secret_use(), SecretUse::Refused);
    assert_eq!(tokens("off").warning(), None);
}

#[test]
fn the_secret_can_sign_next_to_a_key_until_every_instance_has_it() {
    let key = signing_key();
    let tokens = |algorithm: &str| {
        read(&[
            ("JWT_SIGNING_KEY", &key),
            ("JWT_SIGNING_ALGORITHM", algorithm),
        ])
        .tokens
    };
    assert_eq!(tokens("HS256").secret_use(), SecretUse::Signs);
    let warning = tokens("HS256").warning().unwrap();
    assert!(
        warning.contains("Remove it once every instance"),
        "{warning}"
    );
    assert_eq!(tokens("ES256").secret_use(), SecretUse::Verifies);
    let without_a_key = read(&[("JWT_SIGNING_ALGORITHM", "HS256")]).tokens;
    assert_eq!(without_a_key.secret_use(), SecretUse::Signs);
    assert_eq!(without_a_key.warning(), None);

    let errors = refused(&[("JWT_SIGNING_ALGORITHM", "ES256")]);
    assert_eq!(settings_in(&errors), ["JWT_SIGNING_ALGORITHM"]);
    assert!(errors.contains("Set JWT_SIGNING_KEY"), "{errors}");
    let errors = refused(&[
        ("JWT_SIGNING_KEY", &key),
        ("JWT_SIGNING_ALGORITHM", "RS256"),
    ]);
    assert_eq!(settings_in(&errors), ["JWT_SIGNING_ALGORITHM"]);
    let errors = refused(&[
        ("JWT_SIGNING_KEY", &key),
        ("JWT_SIGNING_ALGORITHM", "HS256"),
        ("JWT_ACCEPT_SHARED_SECRET", "off"),
    ]);
    assert_eq!(settings_in(&errors), ["JWT_ACCEPT_SHARED_SECRET"]);
}

#[test]
fn a_running_server_can_reload_its_signing_keys() {
    let (old, new) = (signing_key(), signing_key());
    let tokens = read(&[("JWT_SIGNING_KEY", &old), ("JWT_ISSUER", "me")]).tokens;
    let reread = |given: &[(&str, &str)]| {
        let mut variables = BTreeMap::from([("JWT_SECRET", SECRET)]);
        variables.extend(given.iter().copied());
        tokens.reread(&|name: &str| variables.get(name).map(|value| (*value).to_owned()))
    };
    let both = format!("{new}{old}");
    let rotated = [
        ("JWT_SIGNING_KEY", both.as_str()),
        ("JWT_ACCEPT_SHARED_SECRET", "off"),
    ];
    let rotated = reread(&rotated).unwrap();
    assert_eq!(rotated.signing.as_ref().unwrap().iter().count(), 2);
    assert_eq!(rotated.secret_use(), SecretUse::Refused);
    // The rest is as it was at the start.
    assert_eq!(rotated.issuer.as_deref(), Some("me"));
    assert!(reread(&[]).unwrap().signing.is_none());
    for bad in [
        ("JWT_SIGNING_KEY", "x"),
        ("JWT_ACCEPT_SHARED_SECRET", "off"),
    ] {
        let errors = reread(&[bad]).unwrap_err().to_string();
        assert_eq!(settings_in(&errors), [bad.0]);
    }
}

#[test]
fn slack_needs_both_client_id_and_secret() {
    let slack = read(&[
        ("SLACK_CLIENT_ID", "1.2"),
        ("SLACK_CLIENT_SECRET", "x"),
        ("SLACK_FLOW", "oidc"),
        ("SLACK_BASE_URL", "http://127.0.0.1:8080/dev/slack"),
        ("SLACK_TOKEN_DELIVERY", "cookie"),
        ("SLACK_ALLOW_GUESTS", "on"),
        ("SLACK_FIRST_USER_ROLE", "employee"),
    ])
    .slack
    .unwrap();
    assert_eq!(slack.client_id, "1.2");
    assert_eq!(slack.flow, SlackFlow::Oidc);
    assert_eq!(slack.base_url.path(), "/dev/slack");
    assert_eq!(slack.token_delivery, TokenDelivery::Cookie);
    assert!(slack.allow_guests);
    assert_eq!(slack.first_user_role, Role::Employee);

    let real = [("SLACK_CLIENT_ID", "1.2"), ("SLACK_CLIENT_SECRET", "x")];
    for mode in [Mode::Serve, Mode::Dev] {
        let slack = read_as(mode, &real).unwrap().slack.unwrap();
        assert_eq!(slack.base_url.as_str(), "https://slack.com/");
    }

    let errors = refused(&[("SLACK_CLIENT_SECRET", "x")]);
    assert_eq!(settings_in(&errors), ["SLACK_CLIENT_ID"]);
    let errors = refused(&[("SLACK_CLIENT_ID", "1.2")]);
    assert_eq!(settings_in(&errors), ["SLACK_CLIENT_SECRET"]);
}

#[test]
fn mail_needs_a_server_and_a_sender() {
    let from = |sender| {
        let mail = read(&[
            ("SMTP_URL", "smtps://mail.example.com"),
            ("MAIL_FROM", sender),
        ])
        .mail;
        let from = mail.sender.unwrap();
        (from.name, from.address.as_str().to_owned())
    };
    let address = "no-reply@example.com".to_owned();
    assert_eq!(from("no-reply@example.com"), (None, address.clone()));
    let named = (Some("Hallpass".to_owned()), address);
    assert_eq!(from("Hallpass <no-reply@example.com>"), named);
    assert_eq!(from("\"Hallpass\" <no-reply@example.com>"), named);

    let errors = refused(&[("SMTP_URL", "smtp://mail.example.com")]);
    assert_eq!(settings_in(&errors), ["MAIL_FROM"]);
    for url in [
        "mail.example.com",
        "https://mail.example.com",
        "smtp://",
        "smtp:a",
        "smtp://mail.example.com/ehlo-name",
        "smtp://mail.example.com?tls=some",
        "smtps://mail.example.com?tls=required",
        "smtp://mail.example.com?timeout=3",
        "smtp://%ff@mail.example.com",
        "smtp://mail%20example.com",
    ] {
        let errors = refused(&[("SMTP_URL", url), ("MAIL_FROM", "ada@example.com")]);
        assert_eq!(settings_in(&errors), ["SMTP_URL"], "{url}");
    }
}

#[test]
fn the_smtp_url_selects_host_port_tls_and_login() {
    let server = |url| {
        let config = read(&[("SMTP_URL", url), ("MAIL_FROM", "ada@example.com")]);
        config.mail.server.unwrap()
    };
    for (url, host, port, tls) in [
        ("smtps://a.example", "a.example", 465, MailTls::Implicit),
        ("smtps://localhost:1", "localhost", 1, MailTls::Implicit),
        ("smtp://a.example", "a.example", 587, MailTls::WhenOffered),
        (
            "smtp://a.example:25?tls=required",
            "a.example",
            25,
            MailTls::Required,
        ),
        ("smtp://mail:1025?tls=none", "mail", 1025, MailTls::Never),
        ("smtp://localhost", "localhost", 587, MailTls::Never),
        ("smtp://127.0.0.1:1025", "127.0.0.1", 1025, MailTls::Never),
        ("smtp://[::1]:1025", "::1", 1025, MailTls::Never),
        ("smtp://[::1]?tls=required", "::1", 587, MailTls::Required),
    ] {
        let found = server(url);
        assert_eq!(
            (&*found.host, found.port, found.tls),
            (host, port, tls),
            "{url}"
        );
        assert!(found.login.is_none());
    }
    let found = server("smtps://ada%40example.com:p%2Fw+%C3%A4@a.example?ca=/etc/ca.pem");
    let login = found.login.unwrap();
    assert_eq!(login.user, "ada@example.com");
    assert_eq!(login.password.expose_secret(), "p/w+ä");
    assert_eq!(found.authorities.unwrap().to_str(), Some("/etc/ca.pem"));
}

#[test]
fn an_invalid_template_is_reported_with_file_and_line() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().to_str().unwrap();
    let write = |name: &str, text: &[u8]| fs::write(directory.path().join(name), text).unwrap();
    write("README.md", b"{{ not a template");
    write(
        "verify_email.txt",
        b"Subject: Hello {{ name }}\n\n{{ link }}\n",
    );
    read(&[("MAIL_TEMPLATES", folder)]);

    write("verify-email.html", b"");
    write("reset_password.html", b"\xff");
    let errors = refused(&[("MAIL_TEMPLATES", folder)]);
    assert_eq!(settings_in(&errors), ["MAIL_TEMPLATES", "MAIL_TEMPLATES"]);
    assert!(
        errors.contains("reset_password.html cannot be read"),
        "{errors}"
    );
    assert!(
        errors.contains("verify-email.html is not the name of a template"),
        "{errors}"
    );

    fs::remove_file(directory.path().join("verify-email.html")).unwrap();
    write("reset_password.html", b"\n{{ unknown_variable }}");
    let errors = refused(&[("MAIL_TEMPLATES", folder)]);
    assert!(errors.contains("reset_password.html line 2: "), "{errors}");
    let errors = refused(&[("MAIL_TEMPLATES", "/nowhere/at/all")]);
    assert!(
        errors.contains("/nowhere/at/all cannot be read"),
        "{errors}"
    );
}

#[test]
fn an_exposed_server_requires_a_signing_secret() {
    let (_directory, sqlite) = database_directory();
    for (name, value) in [
        ("HOST", "0.0.0.0"),
        ("HOST", "::"),
        ("PUBLIC_URL", "https://auth.example.com"),
        ("DATABASE_URL", "postgres://localhost/a"),
    ] {
        let mut variables = BTreeMap::from([("DATABASE_URL", sqlite.as_str())]);
        variables.insert(name, value);
        let errors = read_exactly(Mode::Serve, &variables)
            .unwrap_err()
            .to_string();
        assert_eq!(settings_in(&errors), ["JWT_SECRET"], "{name}={value}");
        assert!(errors.contains("hallpass secret generate"), "{errors}");
        variables.insert("JWT_SECRET", SECRET);
        assert!(
            read_exactly(Mode::Serve, &variables).is_ok(),
            "{name}={value}"
        );
    }
}

#[test]
fn development_stays_on_loopback_even_with_a_secret() {
    for (name, value) in [
        ("HOST", "0.0.0.0"),
        ("HOST", "192.168.1.1"),
        ("PUBLIC_URL", "https://auth.example.com"),
    ] {
        let errors = read_as(Mode::Dev, &[(name, value)])
            .unwrap_err()
            .to_string();
        assert_eq!(settings_in(&errors), [name]);
        assert!(read_as(Mode::Serve, &[(name, value)]).is_ok());
    }
    for host in ["127.0.0.2", "::1", "::ffff:127.0.0.1"] {
        assert!(read_as(Mode::Dev, &[("HOST", host)]).is_ok(), "{host}");
    }
}

#[test]
fn a_local_secret_is_created_once_and_readable_by_its_owner() {
    let (directory, url) = database_directory();
    let variables = BTreeMap::from([("DATABASE_URL", url.as_str())]);
    let first = read_exactly(Mode::Serve, &variables).unwrap().tokens;
    let again = read_exactly(Mode::Dev, &variables).unwrap().tokens;
    let file = directory.path().join("a.db.jwt-secret");
    assert_eq!(first.local_secret.as_ref(), Some(&file));
    let secret = first.secrets[0].expose_secret();
    assert_eq!(secret.len(), 43);
    assert_eq!(again.secrets[0].expose_secret(), secret);
    assert_eq!(fs::read_to_string(&file).unwrap().trim(), secret);
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let files = fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(files, 1, "drafts are removed");
}

#[test]
fn processes_that_start_together_share_a_local_secret() {
    let (_directory, url) = database_directory();
    let secrets: BTreeSet<String> = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let variables = BTreeMap::from([("DATABASE_URL", url.as_str())]);
                    let config = read_exactly(Mode::Serve, &variables).unwrap();
                    config.tokens.secrets[0].expose_secret().to_owned()
                })
            })
            .collect();
        readers
            .into_iter()
            .map(|reader| reader.join().unwrap())
            .collect()
    });
    assert_eq!(secrets.len(), 1);
}

#[test]
fn no_local_secret_is_created_if_another_setting_is_invalid() {
    let (directory, url) = database_directory();
    let variables = BTreeMap::from([("DATABASE_URL", url.as_str()), ("PORT", "http")]);
    let errors = read_exactly(Mode::Serve, &variables)
        .unwrap_err()
        .to_string();
    assert_eq!(settings_in(&errors), ["PORT"]);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_readable_or_weak_local_secret_is_rejected() {
    let (directory, url) = database_directory();
    let variables = BTreeMap::from([("DATABASE_URL", url.as_str())]);
    let file = directory.path().join("a.db.jwt-secret");
    let error = || {
        read_exactly(Mode::Serve, &variables)
            .unwrap_err()
            .to_string()
    };

    fs::write(&file, SECRET).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let open = error();
    assert_eq!(settings_in(&open), ["JWT_SECRET"]);
    assert!(open.contains("chmod 600"), "{open}");

    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(read_exactly(Mode::Serve, &variables).is_ok());
    fs::write(&file, "changeme").unwrap();
    let weak = error();
    assert!(
        weak.contains("Delete the file") && !weak.contains("changeme"),
        "{weak}"
    );
}

#[test]
fn a_missing_database_directory_is_an_error_not_a_panic() {
    let (_directory, url) = database_directory();
    let url = url.replace("a.db", "missing/a.db");
    let variables = BTreeMap::from([("DATABASE_URL", url.as_str())]);
    let error = read_exactly(Mode::Serve, &variables)
        .unwrap_err()
        .to_string();
    assert!(error.contains("Create the directory"), "{error}");
}

#[test]
fn a_running_server_can_reload_its_secrets() {
    let tokens = read(&[]).tokens;
    let rotated = format!("{OTHER_SECRET},{SECRET}");
    let secrets = tokens
        .reread(&|name: &str| (name == "JWT_SECRET").then(|| rotated.clone()))
        .unwrap()
        .secrets;
    assert_eq!(secrets[0].expose_secret(), OTHER_SECRET);
    assert_eq!(secrets[1].expose_secret(), SECRET);

    let weak = tokens.reread(&|name: &str| (name == "JWT_SECRET").then(|| "weak".to_owned()));
    assert!(weak.unwrap_err().to_string().contains("has 4 bytes"));
    let missing = tokens.reread(&|_: &str| None).unwrap_err().to_string();
    assert!(missing.contains("no longer set"), "{missing}");
}

#[test]
fn a_running_server_can_reload_a_local_secret() {
    let (_directory, url) = database_directory();
    let variables = BTreeMap::from([("DATABASE_URL", url.as_str())]);
    let tokens = read_exactly(Mode::Serve, &variables).unwrap().tokens;
    let secrets = tokens.reread(&|_: &str| None).unwrap().secrets;
    assert_eq!(
        secrets[0].expose_secret(),
        tokens.secrets[0].expose_secret()
    );
}

#[test]
fn an_earlier_systems_sessions_have_a_source_a_secret_and_an_end() {
    const SOURCE: (&str, &str) = ("LEGACY_SESSION_SOURCE", "nextauth");
    const SECRET: (&str, &str) = ("LEGACY_SESSION_SECRET", "old");
    const UNTIL: (&str, &str) = ("LEGACY_SESSION_UNTIL", "2027-01-31T02:00:00+02:00");
    assert!(read(&[]).legacy_sessions.is_none());
    let legacy = read(&[SOURCE, SECRET, UNTIL]).legacy_sessions.unwrap();
    assert_eq!(
        (legacy.format, &*legacy.source),
        (Format::NextAuth, "nextauth")
    );
    assert_eq!(legacy.until.to_rfc3339(), "2027-01-31T00:00:00+00:00");
    assert_eq!((legacy.cookie, legacy.cut_over), (None, None));
    let more = [
        ("LEGACY_SESSION_SOURCE", "jwt: acme-app"),
        ("LEGACY_SESSION_SECRET", "new,with, comma"),
        UNTIL,
        ("LEGACY_SESSION_COOKIE", "sid"),
        ("LEGACY_SESSION_CUT_OVER", "2026-12-01T06:00:00Z"),
    ];
    let legacy = read(&more).legacy_sessions.unwrap();
    assert_eq!((legacy.format, &*legacy.source), (Format::Jwt, "acme-app"));
    let secrets: Vec<&str> = legacy
        .secrets
        .iter()
        .map(ExposeSecret::expose_secret)
        .collect();
    assert_eq!(secrets, ["new,with, comma", "new", "with", "comma"]);
    assert_eq!(legacy.cookie.as_deref(), Some("sid"));
    assert!(legacy.cut_over.is_some());

    let errors = refused(&[SOURCE]);
    assert_eq!(settings_in(&errors), [SECRET.0, UNTIL.0]);
    assert!(errors.contains(
        "It is required because LEGACY_SESSION_SOURCE is set. Set it to a time at most 60 days"
    ));
    assert_eq!(settings_in(&refused(&[SECRET, UNTIL])), [SECRET.0, UNTIL.0]);
    for (setting, value, why) in [
        (
            SOURCE.0,
            "next",
            "\"next\" is not a valid value. Use one of: nextauth, authjs, better-auth, express",
        ),
        (SOURCE.0, "jwt:", "names no source after the colon"),
        (
            UNTIL.0,
            "2027-01-31",
            "\"2027-01-31\" is not a time of RFC 3339. Write it with its offset",
        ),
        (
            "LEGACY_SESSION_CUT_OVER",
            "now",
            "\"now\" is not a time of RFC 3339",
        ),
        (
            "LEGACY_SESSION_COOKIE",
            "a=b",
            "\"a=b\" is no name of a cookie",
        ),
    ] {
        let mut given = BTreeMap::from([SOURCE, SECRET, UNTIL]);
        given.insert(setting, value);
        let given: Vec<(&str, &str)> = given.into_iter().collect();
        let errors = refused(&given);
        assert_eq!(settings_in(&errors), [setting], "{errors}");
        assert!(errors.contains(why), "{errors}");
    }
}

#[test]
fn public_keys_of_an_earlier_system_need_its_issuer() {
    let set = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ","kid":"a,b"}]}"#;
    let given = [
        ("LEGACY_SESSION_SOURCE", "supabase"),
        ("LEGACY_SESSION_UNTIL", "2027-01-31T00:00:00Z"),
        ("LEGACY_SESSION_SECRET", set),
    ];
    let errors = refused(&given);
    assert_eq!(settings_in(&errors), ["LEGACY_SESSION_ISSUER"]);
    let issuer = ("LEGACY_SESSION_ISSUER", "https://old.example.com");
    let legacy = read(&[&given[..], &[issuer]].concat())
        .legacy_sessions
        .unwrap();
    assert_eq!(
        (legacy.secrets.len(), legacy.issuer.as_deref()),
        (1, Some(issuer.1))
    );
    assert_eq!(legacy.warning(), None);
}

#[test]
fn a_weak_secret_of_an_earlier_system_is_reported_and_taken() {
    let warning = |secret| {
        let given = [
            ("LEGACY_SESSION_SOURCE", "supabase"),
            ("LEGACY_SESSION_UNTIL", "2027-01-31T00:00:00Z"),
            ("LEGACY_SESSION_SECRET", secret),
        ];
        read(&given).legacy_sessions.unwrap().warning()
    };
    assert!(
        warning("short")
            .unwrap()
            .contains("LEGACY_SESSION_SECRET is weak")
    );
    assert_eq!(warning(OTHER_SECRET), None);
}
