//! `hallpass dev`: from a clone to a signed-in user in one command.

use std::process::Command;

use serde_json::Value;
use url::Url;

use crate::process::{Server, hallpass};
use crate::support::{Db, SESSION_COOKIE};

#[actix_web::test]
async fn dev_prints_a_short_banner_whose_curl_line_works_when_pasted() {
    let mut command = hallpass(&["dev"]);
    command.env("DATABASE_URL", Db::sqlite().url());
    let server = Server::run(command).await;
    let banner = std::fs::read_to_string(&server.stdout).unwrap();
    assert!(banner.lines().count() <= 14, "{banner}");
    let address = server.client.address().to_string();
    assert!(
        banner.contains(&address) || banner.contains(&address.replace("127.0.0.1", "localhost"))
    );
    let curl = banner
        .lines()
        .find_map(|line| Some(&line[line.find("curl ")?..]))
        .expect("the banner has a curl line");

    if Command::new("curl").arg("--version").output().is_err() {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "CI=true, but there is no curl"
        );
        eprintln!("\n*** there is no curl: THE BANNER'S COMMAND IS NOT TRIED ***\n");
        return;
    }
    let pasted = Command::new("sh").args(["-c", curl]).output().unwrap();
    let answer: Value = serde_json::from_slice(&pasted.stdout)
        .unwrap_or_else(|_| panic!("{curl}\n{}", String::from_utf8_lossy(&pasted.stderr)));
    assert!(answer["accessToken"].is_string(), "{answer}");
}

#[actix_web::test]
async fn dev_seeds_an_admin_a_manager_and_two_employees_once() {
    let db = Db::sqlite();
    for _ in 0..2 {
        let mut command = hallpass(&["dev"]);
        command.env("DATABASE_URL", db.url());
        drop(Server::run(command).await);
    }
    let roles = db
        .values("select role as v from memberships order by role")
        .await;
    let roles: Vec<&str> = roles.iter().flatten().map(String::as_str).collect();
    assert_eq!(roles, ["admin", "employee", "employee", "manager"]);
    assert_eq!(db.count("select count(*) from organizations").await, 1);
    assert_eq!(
        db.count("select count(*) from memberships where manager_id is not null")
            .await,
        3
    );
}

#[actix_web::test]
async fn a_sign_in_with_slack_leaves_no_secret_in_the_log() {
    let mut command = hallpass(&["dev"]);
    command
        .env("DATABASE_URL", Db::sqlite().url())
        .env("RUST_LOG", "trace");
    let server = Server::run(command).await;
    let return_url = format!("http://{}/demo", server.client.address());
    let authorization = server
        .client
        .get(&format!("/api/auth/slack/url?returnUrl={return_url}"))
        .await
        .expect(200);
    let path = |url: &str| {
        let url: url::Url = url.parse().unwrap();
        format!("{}?{}", url.path(), url.query().unwrap())
    };
    let authorize = path(authorization["url"].as_str().unwrap()) + "&as=owner";
    let agreed = server.client.get(&authorize).await;
    let callback = path(agreed.header("location").unwrap());
    let returned = server.client.get(&callback).await;
    let returned = returned.header("location").unwrap();
    let (place, token) = returned.split_once("#token=").expect(returned);
    assert_eq!(place, return_url);

    let log = server.output();
    assert!(log.contains("/api/auth/slack/callback"), "{log}");
    let code = callback.split(['=', '&']).nth(1).unwrap();
    for secret in [
        "xoxp-",
        "xoxb-",
        "known-to-everybody-slack-sandbox",
        "katherine@example.com",
        code,
        token.split('&').next().unwrap(),
        authorization["state"].as_str().unwrap(),
    ] {
        assert!(!log.contains(secret), "{secret} is in\n{log}");
    }
}

#[actix_web::test]
async fn slack_errors_brought_by_a_browser_are_not_logged_as_errors() {
    let mut command = hallpass(&["dev"]);
    command.env("DATABASE_URL", Db::sqlite().url());
    let server = Server::run(command).await;
    let return_url = format!("http://{}/demo", server.client.address());
    let authorization = format!("/api/auth/slack/url?returnUrl={return_url}");
    let authorization = server.client.get(&authorization).await.expect(200);
    let state = authorization["state"].as_str().unwrap();
    for (word, ours) in [
        ("evilword", "slack_unavailable"),
        ("internal_error", "slack_unavailable"),
        ("invalid_scope", "slack_misconfigured"),
    ] {
        let callback = format!("/api/auth/slack/callback?error={word}");
        assert_eq!(server.client.get(&callback).await.status, 400, "{word}");
        let returned = server.client.get(&format!("{callback}&state={state}"));
        let returned = returned.await.header("location").unwrap().to_owned();
        assert!(returned.starts_with(&format!("{return_url}#error={ours}&")));
    }
    let log = server.output();
    assert!(!log.contains("ERROR") && !log.contains("evilword"), "{log}");
    // What the operator must fix is logged all the same.
    let warnings = log.lines().filter(|line| line.contains("WARN"));
    assert!(
        warnings
            .into_iter()
            .any(|line| line.contains("invalid_scope")),
        "{log}"
    );
}

#[actix_web::test]
async fn dev_answers_only_to_its_own_and_loopback_host_names() {
    let mut command = hallpass(&["dev"]);
    command.env("DATABASE_URL", Db::sqlite().url());
    let server = Server::run(command).await;
    for path in [
        "/dev/mailbox",
        "/dev/slack",
        "/demo",
        "/api/auth/providers",
        "/nothing",
    ] {
        let asks = async |host: &str| server.client.get(path).header("host", host).await;
        for foreign in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "10.0.0.1",
            "0.0.0.0",
        ] {
            let answer = asks(foreign).await;
            answer.refused(421, "Host not served here");
            assert_eq!(answer.header("x-error-code"), Some("misdirected_request"));
        }
        for own in [
            "localhost",
            "localhost:3000",
            "acme.localhost",
            "127.0.0.1",
            "127.0.0.2:80",
            "[::1]:8080",
        ] {
            let expected = if path == "/nothing" { 404 } else { 200 };
            assert_eq!(asks(own).await.status, expected, "{path} at {own}");
        }
    }
}

#[actix_web::test]
async fn dev_answers_to_the_host_of_its_public_url() {
    let mut command = hallpass(&["dev"]);
    command
        .env("DATABASE_URL", Db::sqlite().url())
        .env("PUBLIC_URL", "http://hallpass.test:8080");
    let server = Server::run(command).await;
    let mailbox = server.client.get("/dev/mailbox");
    let answer = mailbox.header("host", "Hallpass.test").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[actix_web::test]
async fn dev_lets_pages_on_this_machine_in_whatever_is_listed() {
    let mut command = hallpass(&["dev"]);
    command
        .env("DATABASE_URL", Db::sqlite().url())
        .env("CORS_ALLOWED_ORIGINS", "https://app.example")
        .env("ALLOWED_RETURN_URLS", "https://app.example/welcome");
    let server = Server::run(command).await;
    let demo = format!("http://{}", server.client.address());
    for (origin, is_let_in) in [
        (demo.as_str(), true),
        ("https://app.example", true),
        ("http://127.0.0.1:5173", true),
        ("http://localhost:5173", true),
        ("http://[::1]:5173", true),
        ("http://app.localhost:3000", true),
        ("http://localhost.evil.example:5173", false),
        ("http://10.0.0.1:5173", false),
        ("https://evil.example", false),
    ] {
        let answer = server.client.get("/livez").header("origin", origin).await;
        let allowed = answer.header("access-control-allow-origin");
        assert_eq!(allowed, is_let_in.then_some(origin));
        let start = format!("/api/auth/slack/url?returnUrl={origin}/welcome");
        let status = server.client.get(&start).await.status;
        assert_eq!(status, if is_let_in { 200 } else { 400 }, "{origin}");
    }
}

#[actix_web::test]
async fn the_sign_in_page_of_dev_works_at_every_name_of_this_machine() {
    let mut command = hallpass(&["dev"]);
    command
        .env("DATABASE_URL", Db::sqlite().url())
        .env("BCRYPT_COST", "4");
    let server = Server::run(command).await;
    let port = server.client.address().port();
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}")] {
        let page = format!("http://{host}/api/auth/signin");
        let shown = server.client.get("/api/auth/signin").header("host", &host);
        let shown = shown.await;
        let html = shown.text();
        let action = html.split("action=\"").nth(1).unwrap();
        let action = action.split('"').next().unwrap().replace("&#x2f;", "/");
        let target = Url::parse(&page).unwrap().join(&action).unwrap();
        // A browser names the page's origin only to the page's own host.
        assert_eq!(target.authority(), host);
        let policy = shown.header("content-security-policy").unwrap();
        assert!(policy.contains("form-action 'self' "), "{policy}");
        let signed_in = server
            .client
            .post(target.path())
            .header("host", &host)
            .header("origin", &format!("http://{host}"))
            .header("sec-fetch-site", "same-origin")
            .form(&[
                ("email", "ada@example.com"),
                ("password", "correct horse battery staple"),
            ])
            .await;
        assert_eq!(signed_in.status, 302);
        let cookies = signed_in.set_cookies();
        let set = |(name, value): &(String, String)| name == SESSION_COOKIE && !value.is_empty();
        assert!(cookies.iter().any(set), "{cookies:?}");
    }
}

#[actix_web::test]
async fn a_refused_origin_is_logged_once_with_the_line_to_add() {
    let server = Server::start(&Db::sqlite()).await;
    let own = format!("http://{}", server.client.address());
    for _ in 0..3 {
        for origin in ["http://localhost:5173", &own, "null", "evil\tadvice"] {
            server
                .client
                .get("/livez")
                .header("origin", origin)
                .await
                .expect(200);
        }
    }
    let log = server.output();
    let line = "Origin http://localhost:5173 refused; add it to CORS_ALLOWED_ORIGINS";
    assert_eq!(log.matches(line).count(), 1, "{log}");
    assert_eq!(log.matches(" refused; ").count(), 1, "{log}");

    for number in 0..100 {
        let origin = format!("https://{number}.example");
        server
            .client
            .get("/livez")
            .header("origin", &origin)
            .await
            .expect(200);
    }
    assert_eq!(server.output().matches(" refused; ").count(), 20);
}
