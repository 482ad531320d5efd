//! The way to the sign-in page and back.

use hallpass::config::Config;
use hallpass::domain::ProxyHeader;
use url::Url;

use super::{OR_SIGN_IN, VERIFY, browser_of, identity};
use crate::support::client::Call;
use crate::support::{Browser, Db, PASSWORD, TestApp, on_both_databases};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// A proxy of our own asks, whose part the tests play.
fn behind_a_proxy(config: &mut Config) {
    config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
}

/// As a proxy asks for a browser that opens this page of the application.
fn opens(app: &TestApp, proto: &str, host: &str, uri: &str) -> Call {
    app.get(OR_SIGN_IN)
        .header("accept", BROWSER)
        .header("x-forwarded-method", "GET")
        .header("x-forwarded-proto", proto)
        .header("x-forwarded-host", host)
        .header("x-forwarded-uri", uri)
}

/// Where the sign-in page that the call leads to will lead afterwards.
async fn comes_back_to(call: Call) -> Option<String> {
    let answer = call.await;
    assert_eq!(answer.status, 302, "{}", answer.text());
    assert!(answer.body.is_empty());
    let location: Url = answer.header("location").unwrap().parse().unwrap();
    assert!(
        location
            .as_str()
            .starts_with("http://localhost/api/auth/signin"),
        "{location}"
    );
    let mut parameters = location.query_pairs();
    let back = parameters.next().map(|(name, value)| {
        assert_eq!(name, "callbackUrl");
        value.into_owned()
    });
    assert!(parameters.next().is_none(), "{location}");
    back
}

on_both_databases! {
    async fn a_browser_signs_in_and_comes_back(db: Db) {
        let app = TestApp::configured(db, behind_a_proxy).await;
        app.signs_up("Acme", "ada@acme.example").await;
        let asked = "http://localhost/orders?a=1&b=%26%20c";
        let answer = opens(&app, "http", "localhost", "/orders?a=1&b=%26%20c").await;
        let location: Url = answer.header("location").unwrap().parse().unwrap();
        let browser = Browser::new(&app);
        let page = browser.get(&format!("{}?{}", location.path(), location.query().unwrap())).await;
        assert!(page.text().contains("orders?a=1&amp;b=%26%20c"), "{}", page.text());
        let fields = [("email", "ada@acme.example"), ("password", PASSWORD), ("callbackUrl", asked)];
        let signed_in = browser.post_form("/api/auth/signin/credentials", &fields).await;
        assert_eq!((signed_in.status.as_u16(), signed_in.header("location")), (302, Some(asked)));
        identity(&browser.get(OR_SIGN_IN).await);
    }

    async fn only_a_browser_that_opens_a_page_is_led_to_the_sign_in(db: Db) {
        let app = TestApp::configured(db, behind_a_proxy).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let gone = browser_of(&app, &ada.email).await;
        ada.post("/api/auth/logout-all").await.expect(200);
        assert_eq!(comes_back_to(app.get(OR_SIGN_IN).header("accept", BROWSER)).await, None);
        assert_eq!(comes_back_to(gone.silent(reqwest::Method::GET, OR_SIGN_IN).header("accept", BROWSER)).await, None);
        let refused = async |call: Call| call.await.refused_with(401, "authentication_required");
        refused(app.get(VERIFY).header("accept", BROWSER)).await;
        refused(app.get(OR_SIGN_IN)).await;
        refused(app.get(OR_SIGN_IN).header("accept", "*/*")).await;
        refused(app.get(OR_SIGN_IN).header("accept", "application/json")).await;
        refused(app.get(OR_SIGN_IN).header("accept", BROWSER).header("x-forwarded-method", "POST")).await;
        refused(app.post(OR_SIGN_IN).header("accept", BROWSER)).await;
        refused(app.client.call(reqwest::Method::HEAD, OR_SIGN_IN).header("accept", BROWSER)).await;
    }

    async fn a_visitor_comes_back_to_allowed_places_only(db: Db) {
        let app = TestApp::configured(db, behind_a_proxy).await;
        for (proto, host, uri, expected) in [
            ("http", "localhost", "/", Some("http://localhost/")),
            ("http", "localhost", "/a//b?c=d", Some("http://localhost/a//b?c=d")),
            ("https", "app.example", "/orders", Some("https://app.example/orders")),
            ("http", "localhost", "//evil.example/x", Some("http://localhost//evil.example/x")),
            ("https", "evil.example", "/", None),
            ("https", "app.example.evil.example", "/", None),
            ("http", "app.example", "/", None),
            ("https", "app.example:8443", "/", None),
            ("https", "app.example", "@evil.example/", None),
            ("https", "app.example", ".evil.example/", None),
            ("https", "app.example", "https://evil.example/", None),
            ("https", "app.example@evil.example", "/", None),
            ("https", "evil.example/", "/", None),
            ("https", "evil.example#", "/", None),
            ("javascript", "app.example", "/", None),
            ("", "app.example", "/", None),
            ("https", "", "/", None),
            ("http", "localhost", "/a/../b", None),
            ("http", "localhost", "/%2e%2e/b", None),
            ("http", "localhost", "/a b", None),
            ("http", "localhost", "/\u{e9}", None),
            ("http", "localhost", "", None),
        ] {
            let back = comes_back_to(opens(&app, proto, host, uri)).await;
            assert_eq!(back.as_deref(), expected, "{proto} {host} {uri}");
        }
        let long = format!("/{}", "a".repeat(4_000));
        assert_eq!(comes_back_to(opens(&app, "http", "localhost", &long)).await, None);
        let page = || app.get(OR_SIGN_IN).header("accept", BROWSER);
        // The path alone is one of PUBLIC_URL's host.
        let path = |uri| page().header("x-forwarded-uri", uri);
        assert_eq!(comes_back_to(path("/orders")).await.as_deref(), Some("http://localhost/orders"));
        assert_eq!(comes_back_to(path("//evil.example")).await, None);
        assert_eq!(comes_back_to(path("/a").header("x-forwarded-uri", "/b")).await, None);
    }

    async fn what_others_than_trusted_proxies_forward_does_not_count(db: Db) {
        let app = TestApp::start(db).await;
        assert_eq!(comes_back_to(opens(&app, "http", "localhost", "/orders")).await, None);
        let mut app = app;
        app.restart_configured(behind_a_proxy).await;
        let of_client = |name: &str, value: &str| {
            opens(&app, "http", "localhost", "/orders").header(name, value)
        };
        // The proxy's own values come last; those before them are the client's.
        for (name, value) in [("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "https")] {
            let call = app.get(OR_SIGN_IN).header("accept", BROWSER).header(name, value);
            let call = call
                .header("x-forwarded-for", "198.51.100.7")
                .header("x-forwarded-proto", "http")
                .header("x-forwarded-host", "localhost")
                .header("x-forwarded-uri", "/orders");
            assert_eq!(comes_back_to(call).await.as_deref(), Some("http://localhost/orders"), "{name}");
        }
        let elsewhere = of_client("forwarded", "for=198.51.100.7;proto=https;host=app.example");
        assert_eq!(comes_back_to(elsewhere).await.as_deref(), Some("http://localhost/orders"));
        app.restart_configured(|config| config.server.proxy_header = ProxyHeader::Forwarded).await;
        let page = |forwarded: &str| {
            let call = app.get(OR_SIGN_IN).header("accept", BROWSER).header("forwarded", forwarded);
            call.header("x-forwarded-uri", "/orders")
        };
        let ours = page("for=198.51.100.7;proto=https;host=app.example");
        assert_eq!(comes_back_to(ours).await.as_deref(), Some("https://app.example/orders"));
        let forged = page("for=a;proto=https;host=app.example, for=198.51.100.7;proto=http;host=localhost");
        assert_eq!(comes_back_to(forged).await.as_deref(), Some("http://localhost/orders"));
    }
}
