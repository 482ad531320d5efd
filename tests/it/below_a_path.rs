//! Behind a proxy that serves Hallpass below a path of its host, no URL leads out of that path.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::process::{Server, hallpass};
use crate::support::Db;
use crate::support::client::{Answer, Client};

const ADA: &str = "ada@example.com";

/// `hallpass dev`, which has every page, behind the proxy.
struct Site {
    server: Server,
    outside: Client,
    base: String,
}

impl Site {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let proxy = listener.local_addr().unwrap();
        let base = format!("http://{proxy}/id");
        let mut command = hallpass(&["dev"]);
        command
            .env("DATABASE_URL", Db::sqlite().url())
            .env("PUBLIC_URL", &base)
            .env("BCRYPT_COST", "4");
        let server = Server::run(command).await;
        tokio::spawn(forward(listener, server.client.address()));
        Self {
            server,
            outside: Client::new(proxy),
            base,
        }
    }

    /// The URL that `link` on the page `page` leads to, which must be below the path.
    fn inside(&self, page: &str, link: &str) -> String {
        let url = Url::parse(page).unwrap().join(link).unwrap();
        let is_inside =
            url.as_str() == self.base || url.as_str().starts_with(&format!("{}/", self.base));
        assert!(is_inside, "{page} leads to {url} by {link:?}");
        url.into()
    }

    fn path<'a>(&self, url: &'a str) -> &'a str {
        let origin = self.base.strip_suffix("/id").unwrap();
        url.strip_prefix(origin).unwrap().split('#').next().unwrap()
    }

    async fn get(&self, url: &str) -> Answer {
        self.outside.get(self.path(url)).await
    }
}

/// Takes `/id` off the path of each request; what is elsewhere belongs to another application.
async fn forward(listener: TcpListener, to: SocketAddr) {
    while let Ok((mut client, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await?);
            }
            let head = String::from_utf8(head).unwrap();
            let (method, rest) = head.split_once(' ').unwrap();
            let Some(rest) = rest
                .strip_prefix("/id")
                .filter(|rest| rest.starts_with(['/', '?', ' ']))
            else {
                return client
                    .write_all(b"HTTP/1.1 421 Elsewhere\r\nContent-Length: 0\r\n\r\n")
                    .await;
            };
            let slash = if rest.starts_with('/') { "" } else { "/" };
            // One request for each connection, so that there is only one head to change.
            let (line, fields) = rest.split_once("\r\n").unwrap();
            let head = format!("{method} {slash}{line}\r\nConnection: close\r\n{fields}");
            let mut server = TcpStream::connect(to).await?;
            server.write_all(head.as_bytes()).await?;
            copy_bidirectional(&mut client, &mut server)
                .await
                .map(|_| ())
        });
    }
}

/// The values of these attributes in a page, in order.
fn attributes(page: &str, names: &[&str]) -> Vec<String> {
    let page = page
        .replace("&#x2f;", "/")
        .replace("&amp;", "&")
        .replace("&#x27;", "'");
    let parts = page.split_inclusive('"').collect::<Vec<_>>();
    let is_named = |before: &str| {
        names
            .iter()
            .any(|name| before.ends_with(&format!(" {name}=\"")))
    };
    parts
        .windows(2)
        .filter(|pair| is_named(pair[0]))
        .map(|pair| pair[1].trim_end_matches('"').to_owned())
        .collect()
}

#[actix_web::test]
async fn every_page_link_and_redirect_stays_below_the_path() {
    let site = Site::start().await;
    site.server
        .client
        .post("/api/auth/forgot-password")
        .json(&json!({"email": ADA}))
        .await
        .expect(200);
    let mail = site
        .outside
        .get("/id/dev/mailbox/newest?wait=20")
        .await
        .expect(200);
    let mailed = site.inside(&site.base, mail["link"].as_str().unwrap());

    let mut pages: Vec<String> = [
        "",
        "/",
        "/docs",
        "/demo",
        "/dev/mailbox",
        "/dev/slack",
        "/dev/slack/oauth/v2/authorize?client_id=unknown",
        "/api/auth/signin",
        "/api/auth/signin?callbackUrl=/nowhere&error=account_exists",
        "/api/auth/signout",
        "/api/auth/error?error=AccessDenied",
        "/api/auth/slack/start",
        "/api/auth/slack/callback?error=access_denied&state=x",
        "/.well-known/change-password",
        "/verify-email",
        "/verify-email?token=x",
        "/reset-password",
        "/reset-password?token=x",
        "/change-email?token=x",
        "/end-session?token=x",
        "/undo?token=x",
        "/accept-invitation?token=x",
    ]
    .map(|path| format!("{}{path}", site.base))
    .to_vec();
    pages.push(format!(
        "{}/api/auth/slack/start?returnUrl={0}/demo",
        site.base
    ));
    pages.push(mailed);
    let mut seen = BTreeSet::new();
    let mut forms = 0;
    while let Some(page) = pages.pop() {
        if !seen.insert(site.path(&page).to_owned()) {
            continue;
        }
        let answer = site.get(&page).await;
        assert_ne!(answer.status, 404, "{page}");
        assert_ne!(answer.status, 421, "{page}");
        if let Some(location) = answer.header("location") {
            pages.push(site.inside(&page, location));
        }
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("; Path=/id; "), "{page}: {cookie}");
        }
        let is_page = answer
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"));
        // The e-mail itself, which the pages above show, is tried by its link.
        if !is_page || page.contains("/dev/mailbox/") && page.ends_with("/html") {
            continue;
        }
        let html = String::from_utf8(answer.body).unwrap();
        for link in attributes(&html, &["href", "src"]) {
            if !link.starts_with("data:") {
                pages.push(site.inside(&page, &link));
            }
        }
        for action in attributes(&html, &["action", "formaction"]) {
            let target = site.inside(&page, &action);
            forms += 1;
            let answer = site.outside.post(site.path(&target)).form(&[]).await;
            assert!(
                ![404, 405, 421].contains(&answer.status.as_u16()),
                "{target}"
            );
            if let Some(location) = answer.header("location") {
                site.inside(&target, location);
            }
        }
    }
    assert!(
        seen.len() > 40 && forms > 10,
        "{} pages, {forms} forms",
        seen.len()
    );
    for expected in [
        "/id/docs",
        "/id/openapi.json",
        "/id/demo/demo.js",
        "/id/demo/demo.css",
        "/id/dev/mailbox/1",
    ] {
        assert!(seen.contains(expected), "{expected} in {seen:?}");
    }

    let script = site.outside.get("/id/demo/demo.js").await.body;
    let script = String::from_utf8(script).unwrap();
    assert!(script.contains("\"api/auth/me\"") && !script.contains("\"/api/auth/me\""));
    let document = site.outside.get("/id/openapi.json").await.expect(200);
    assert_eq!(document["servers"], json!([{"url": "/id"}]));
    let providers = site.outside.get("/id/api/auth/providers").await.expect(200);
    for provider in providers.as_object().unwrap().values() {
        for url in ["signinUrl", "callbackUrl"] {
            site.inside(&site.base, provider[url].as_str().unwrap());
        }
    }
}

#[actix_web::test]
async fn a_next_auth_client_signs_in_and_out_below_the_path() {
    let site = Site::start().await;
    let own = site.base.strip_suffix("/id").unwrap();
    let csrf = site.outside.get("/id/api/auth/csrf").await;
    let (name, value) = csrf.set_cookies().remove(0);
    let token = csrf.expect(200)["csrfToken"].as_str().unwrap().to_owned();
    let sign_in = |extra: &str| {
        site.outside
            .post("/id/api/auth/callback/credentials")
            .header("origin", own)
            .header("cookie", &format!("{name}={value}{extra}"))
    };
    let fields = [
        ("email", ADA),
        ("password", "correct horse battery staple"),
        ("csrfToken", token.as_str()),
    ];
    let signed_in = sign_in("").form(&fields).await;
    assert_eq!(signed_in.status, 302);
    assert_eq!(
        signed_in.header("location"),
        Some(format!("{}/", site.base).as_str())
    );
    let set: Vec<&str> = signed_in
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap())
        .filter(|cookie| cookie.starts_with("next-auth.session-token="))
        .collect();
    // The second one deletes the cookie that earlier versions set for the whole host.
    assert!(set[0].contains("; Path=/id; Max-Age=604800; "), "{set:?}");
    assert_eq!(
        set[1..],
        ["next-auth.session-token=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"]
    );

    let cookie = set[0].split(';').next().unwrap();
    let session = site
        .outside
        .get("/id/api/auth/session")
        .header("cookie", cookie)
        .await;
    assert_eq!(session.expect(200)["user"]["email"], ADA);
    let fields = [("csrfToken", token.as_str()), ("json", "true")];
    let signed_out = site
        .outside
        .post("/id/api/auth/signout")
        .header("origin", own)
        .header("cookie", &format!("{name}={value}; {cookie}"))
        .form(&fields)
        .await;
    assert_eq!(signed_out.expect(200)["url"], format!("{}/", site.base));
    let session = site
        .outside
        .get("/id/api/auth/session")
        .header("cookie", cookie)
        .await;
    assert_eq!(session.expect(200), json!({}));
}
