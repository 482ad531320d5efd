//! Invalid settings end the program before it does anything.

use std::process::Command;

use crate::process::{Server, hallpass, hallpass_on, stderr};
use crate::support::{Db, SECRET};

#[test]
fn all_errors_are_named_at_once_without_secrets_and_the_exit_code_is_78() {
    let output = hallpass(&["serve"])
        .env("JWT_SECRET", "hunter2hunter2")
        .env("DATABASE_URL", "mysql://root:swordfish@localhost/x")
        .env("PORT", "many")
        .env("BCRYPT_COST", "99")
        .env("TRUSTED_PROXIES", "everybody")
        .output()
        .unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(78), "{said}");
    for name in [
        "JWT_SECRET",
        "DATABASE_URL",
        "PORT",
        "BCRYPT_COST",
        "TRUSTED_PROXIES",
    ] {
        assert!(said.contains(name), "{name} is not in: {said}");
    }
    for secret in ["hunter2", "swordfish"] {
        assert!(!said.contains(secret), "{said}");
    }
}

#[actix_web::test]
async fn a_misspelt_setting_in_the_file_is_one_warning_at_start() {
    let mut command = hallpass_on(&Db::sqlite(), &["serve"]);
    let directory = command.get_current_dir().unwrap();
    std::fs::write(directory.join(".env"), "REGISTRATIONS=closed\n").unwrap();
    command.env("ORGANIZATION_CREATIONS", "closed");
    let output = Server::run(command).await.output();
    let warning = ".env: REGISTRATIONS is not a setting; did you mean REGISTRATION?";
    assert_eq!(output.matches(warning).count(), 1, "{output}");
    assert_eq!(output.matches("did you mean").count(), 1, "{output}");
}

#[test]
fn weak_secrets_are_refused() {
    let repeated = format!("{SECRET},{SECRET}");
    for weak in [
        "",
        "secret",
        "changemechangemechangemechangeme",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "your-256-bit-secret-your-256-bit-secret",
        &repeated,
    ] {
        let output = hallpass_on(&Db::sqlite(), &["migrate"])
            .env("JWT_SECRET", weak)
            .output()
            .unwrap();
        // A loopback server with SQLite needs no secret: it generates its own.
        if weak.is_empty() && output.status.success() {
            continue;
        }
        assert_eq!(
            output.status.code(),
            Some(78),
            "{weak:?}: {}",
            stderr(&output)
        );
        assert!(stderr(&output).contains("JWT_SECRET"), "{weak:?}");
    }
    let strong = hallpass_on(&Db::sqlite(), &["migrate"]).output().unwrap();
    assert!(strong.status.success(), "{}", stderr(&strong));
}

#[test]
fn a_public_server_needs_its_own_secret() {
    for (name, value) in [("HOST", "0.0.0.0"), ("PUBLIC_URL", "https://id.example")] {
        let output = hallpass_on(&Db::sqlite(), &["serve"])
            .env_remove("JWT_SECRET")
            .env(name, value)
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(78),
            "{name}: {}",
            stderr(&output)
        );
        assert!(stderr(&output).contains("JWT_SECRET"), "{name}");
    }
}

#[test]
fn dev_mode_listens_on_this_machine_only() {
    for (name, value) in [("HOST", "0.0.0.0"), ("PUBLIC_URL", "https://id.example")] {
        let output = hallpass(&["dev"])
            .env("DATABASE_URL", Db::sqlite().url())
            .env(name, value)
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(78),
            "{name}: {}",
            stderr(&output)
        );
        assert!(stderr(&output).contains(name), "{}", stderr(&output));
    }
}

#[actix_web::test]
async fn an_untrusted_proxy_is_reported_once_with_what_to_set() {
    let server = Server::start(&Db::sqlite()).await;
    for header in ["x-forwarded-for", "forwarded", "x-forwarded-host"] {
        for sent in ["192.0.2.1", "TRUSTED_PROXIES=0.0.0.0/0"] {
            let answer = server.client.get("/livez").header(header, sent).await;
            answer.expect(200);
        }
        let line = format!("a request with {header} came from 127.0.0.1");
        assert_eq!(
            server.output().matches(&line).count(),
            1,
            "{}",
            server.output()
        );
    }
    let output = server.output();
    assert_eq!(
        output.matches("set TRUSTED_PROXIES=127.0.0.1/32").count(),
        3,
        "{output}"
    );
    assert!(!output.contains("0.0.0.0/0"), "{output}");
}

#[actix_web::test]
async fn a_trusted_proxy_is_not_reported() {
    let mut command = hallpass_on(&Db::sqlite(), &["serve"]);
    command.env("TRUSTED_PROXIES", "127.0.0.0/8");
    let server = Server::run(command).await;
    let call = server
        .client
        .get("/livez")
        .header("x-forwarded-for", "192.0.2.1");
    call.header("forwarded", "for=192.0.2.1").await.expect(200);
    let output = server.output();
    assert!(!output.contains("TRUSTED_PROXIES"), "{output}");
}

#[actix_web::test]
async fn slack_without_an_https_address_is_warned_about() {
    let with = async |public_url: &str| {
        let mut command = hallpass_on(&Db::sqlite(), &["serve"]);
        command
            .env("PUBLIC_URL", public_url)
            .env("ALLOWED_RETURN_URLS", "https://app.example")
            .env("SLACK_CLIENT_ID", "1.2")
            .env("SLACK_CLIENT_SECRET", "a1b2c3d4e5f60718293a4b5c6d7e8f90");
        Server::run(command).await.output()
    };
    let output = with("http://id.example").await;
    assert!(output.contains("PUBLIC_URL is not https"), "{output}");
    let output = with("https://id.example").await;
    assert!(!output.contains("PUBLIC_URL is not https"), "{output}");
}

#[cfg(target_os = "linux")]
#[actix_web::test]
async fn the_server_raises_its_limit_of_open_files() {
    let serve = hallpass_on(&Db::sqlite(), &[]);
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -Sn 300; exec \"$0\" serve"])
        .arg(serve.get_program())
        .env_clear()
        .envs(
            serve
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .current_dir(serve.get_current_dir().unwrap());
    let server = Server::run(command).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.process.id())).unwrap();
    let files = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let [soft, hard] = [0, 1].map(|n| files.unwrap().split_whitespace().nth(n).unwrap());
    assert_eq!(soft, hard);
    assert!(
        server.output().contains("raised the limit of open files"),
        "{}",
        server.output()
    );
}
