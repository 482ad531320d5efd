//! Where a sign-in may redirect to.

use serde_json::json;

use crate::support::slack::RETURN_URL;
use crate::support::{Browser, Db, PASSWORD, SlackApp, on_both_databases};

const HOME: &str = "http://localhost/";

on_both_databases! {
    async fn a_sign_in_redirects_to_allowed_origins_only(db: Db) {
        let app = SlackApp::start(db).await;
        app.signs_up("Acme", "ada@acme.example").await;
        let browser = Browser::new(&app);
        let mut faults = Vec::new();
        let led_to = async |callback_url: &str| {
            let fields = [
                ("email", "ada@acme.example"),
                ("password", PASSWORD),
                ("callbackUrl", callback_url),
                ("json", "true"),
            ];
            let answer = browser.post_form("/api/auth/callback/credentials", &fields).await;
            answer.expect(200)["url"].as_str().unwrap().to_owned()
        };
        for (asked, expected) in [
            ("http://localhost/a?b=c&error=x#d", "http://localhost/a?b=c&error=x#d"),
            ("/a/b?c", "http://localhost/a/b?c"),
            ("/", HOME),
            ("https://app.example/anything", "https://app.example/anything"),
            (RETURN_URL, RETURN_URL),
            ("http://localhost:3000/x", "http://localhost:3000/x"),
        ] {
            let url = led_to(asked).await;
            if url != expected {
                faults.push(format!("{asked} leads to {url}"));
            }
        }
        for evil in [
            "", "//evil", r"/\evil", "https:evil.com", "https:///evil.com", "https://app@evil", "https://app:443@evil",
            r"https://evil\@app.example", "https://app.example.evil.com", "https://xapp.example", "https://app.example.",
            "https://app.example:8443", "http://app.example", "http://localhost/a/../admin", "http://localhost/%2e%2e/x",
            "http://localhost/..%2fx", "JaVaScRiPt:alert(1)", "data:text/html,x", "http://localhost\t/x",
            "http://localhost\r\nSet-Cookie: a=b", " http://localhost/x", "http://loc\u{430}lhost/x",
            "http://localhost\u{ff0e}/", "http://local\u{ad}host/x", "http://localhost.evil.com", "http://127.0.0.1/",
            "http://0x7f.1/", "http://[::1]/", "https://evil.example/", "com.example.app://signed-in",
            "http://localhost:81/", "https://localhost/", "http://user@localhost/", "http://localhost/#\r\nx", "/a\nb",
        ] {
            let url = led_to(evil).await;
            if url != HOME {
                faults.push(format!("{evil:?} leads to {url}"));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        // A repeated parameter is ambiguous.
        let twice = [("callbackUrl", "/a"), ("callbackUrl", "//evil")];
        let answer = browser.post_form("/api/auth/signout", &twice).await;
        answer.refused_fields(&["callbackUrl"]);
        let array = json!({"email": "ada@acme.example", "password": PASSWORD, "callbackUrl": ["//evil"], "json": true});
        let answer = app.post("/api/auth/callback/credentials").json(&array).await;
        assert_eq!(answer.expect(200), json!({"url": HOME}));
    }
}
