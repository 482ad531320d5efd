//! A program with a Slack sandbox, and people who sign in from there.

use std::collections::HashMap;
use std::ops::Deref;

use hallpass::config::{Config, Slack};
use hallpass::domain::slack::SlackFlow;
use hallpass::domain::{AllowedReturnUrl, Role, TokenDelivery};
use hallpass::sandbox::slack::{CLIENT_ID, CLIENT_SECRET, Endpoint, Fault, SlackSandbox};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::{Actor, Answer, Db, TestApp};

/// The return URL, unless a test chooses another one.
pub const RETURN_URL: &str = "https://app.example/auth";

/// A verifier and its challenge (RFC 7636, appendix B).
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub struct SlackApp(pub TestApp);

impl Deref for SlackApp {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.0
    }
}

/// The request to the return URL.
pub struct Returned {
    /// Without query and fragment.
    pub url: String,
    pub query: HashMap<String, String>,
    pub fragment: HashMap<String, String>,
    pub answer: Answer,
}

impl SlackApp {
    pub async fn start(db: Db) -> Self {
        Self::configured(db, |_| {}).await
    }

    pub async fn configured(db: Db, change: impl FnOnce(&mut Slack)) -> Self {
        let app = TestApp::with_slack(db, |config| {
            let slack = use_sandbox(config);
            change(slack);
        });
        Self(app.await)
    }

    pub async fn oidc(db: Db) -> Self {
        Self::configured(db, |slack| slack.flow = SlackFlow::Oidc).await
    }

    pub fn slack(&self) -> &SlackSandbox {
        self.0.slack.as_ref().unwrap()
    }

    pub fn fails(&self, endpoint: Endpoint, fault: Fault) {
        self.slack().fail_next(endpoint, fault, 1);
    }

    /// `GET /api/auth/slack/url` with more parameters.
    pub async fn asks_for_url(&self, return_url: &str, more: &[(&str, &str)]) -> Answer {
        self.get(&with_query("/api/auth/slack/url", return_url, more))
            .await
    }

    /// `GET /api/auth/slack/start` with more parameters.
    pub async fn starts(&self, return_url: &str, more: &[(&str, &str)]) -> Answer {
        self.get(&with_query("/api/auth/slack/start", return_url, more))
            .await
    }

    /// The authorization URL for the usual return URL.
    pub async fn begins(&self) -> Url {
        let authorization = self.asks_for_url(RETURN_URL, &[]).await.expect(200);
        authorization["url"].as_str().unwrap().parse().unwrap()
    }

    /// A persona's answer at Slack: the path of the callback they are redirected to.
    pub async fn consents(&self, authorization: &Url, persona: &str) -> String {
        let path = format!(
            "{}?{}&as={persona}",
            authorization.path(),
            authorization.query().unwrap()
        );
        let answer = self.get(&path).await;
        assert_eq!(answer.status, 302, "{}", answer.text());
        let back: Url = answer.header("location").unwrap().parse().unwrap();
        assert_eq!(back.path(), "/api/auth/slack/callback");
        format!("{}?{}", back.path(), back.query().unwrap())
    }

    /// A callback that is ready to be followed.
    pub async fn callback_of(&self, persona: &str) -> String {
        let authorization = self.begins().await;
        self.consents(&authorization, persona).await
    }

    /// Follows a callback, which must redirect to a return URL.
    pub async fn follows(&self, callback: &str) -> Returned {
        Returned::of(self.get(callback).await)
    }

    /// From the button to the return URL.
    pub async fn arrives(&self, persona: &str) -> Returned {
        let callback = self.callback_of(persona).await;
        self.follows(&callback).await
    }

    /// Signs in and returns the answer of `/me`.
    pub async fn signs_in(&self, persona: &str) -> Value {
        let returned = self.arrives(persona).await;
        self.me(returned.token()).await
    }

    /// A persona who has just signed in, and has no password.
    pub async fn person(&self, persona: &str) -> Actor {
        let returned = self.arrives(persona).await;
        let user = self.me(returned.token()).await;
        Actor {
            client: self.client.clone(),
            email: user["email"].as_str().unwrap_or_default().to_owned(),
            password: String::new(),
            token: returned.token().to_owned(),
            user,
        }
    }

    /// Links a persona's identity to the account of the token.
    pub async fn links(&self, token: &str, persona: &str) -> Returned {
        let link = self.post("/api/auth/slack/link").bearer(token);
        let begun = link.json(&json!({"returnUrl": RETURN_URL})).await;
        self.consents_to(&begun, persona).await
    }

    /// Follows what began with this answer, in the browser that began it.
    pub async fn consents_to(&self, begun: &Answer, persona: &str) -> Returned {
        let url = begun.expect(200)["url"].as_str().unwrap().parse().unwrap();
        let callback = self.consents(&url, persona).await;
        Returned::of(self.get(&callback).header("cookie", begun.cookie()).await)
    }

    pub async fn me(&self, token: &str) -> Value {
        self.get("/api/auth/me").bearer(token).await.expect(200)
    }
}

pub fn use_sandbox(config: &mut Config) -> &mut Slack {
    config.accounts.allowed_return_urls = [
        RETURN_URL,
        "http://localhost:3000",
        "com.example.app://signed-in",
    ]
    .map(|url| AllowedReturnUrl::parse(url).unwrap())
    .to_vec();
    config.slack.insert(Slack {
        client_id: CLIENT_ID.to_owned(),
        client_secret: CLIENT_SECRET.into(),
        flow: SlackFlow::V2,
        base_url: "http://127.0.0.1:0/dev/slack".parse().unwrap(),
        token_delivery: TokenDelivery::Fragment,
        allow_guests: false,
        first_user_role: Role::Admin,
    })
}

fn with_query(path: &str, return_url: &str, more: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("returnUrl", return_url)
        .extend_pairs(more)
        .finish();
    format!("{path}?{query}")
}

impl Returned {
    #[track_caller]
    pub fn of(answer: Answer) -> Self {
        assert_eq!(answer.status, 302, "{}", answer.text());
        let mut url: Url = answer.header("location").unwrap().parse().unwrap();
        let pairs = |text: Option<&str>| {
            form_urlencoded::parse(text.unwrap_or_default().as_bytes())
                .into_owned()
                .collect()
        };
        let (query, fragment) = (pairs(url.query()), pairs(url.fragment()));
        url.set_query(None);
        url.set_fragment(None);
        Self {
            url: url.into(),
            query,
            fragment,
            answer,
        }
    }

    #[track_caller]
    pub fn token(&self) -> &str {
        self.fragment
            .get("token")
            .unwrap_or_else(|| panic!("no token: {:?}", self.fragment))
    }

    /// The error in the fragment, without a token.
    #[track_caller]
    pub fn failed_with(&self, error: &str) {
        assert_eq!(
            self.fragment.get("error").map(String::as_str),
            Some(error),
            "{:?}",
            self.fragment
        );
        assert!(!self.fragment.contains_key("token"));
        assert!(self.fragment.contains_key("state"));
        assert_eq!(self.url, RETURN_URL);
    }
}

impl Answer {
    /// The page shown when a sign-in cannot continue, without a redirect.
    #[track_caller]
    pub fn is_page(&self, status: u16, code: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("x-error-code"), Some(code));
        assert_eq!(
            self.header("content-type"),
            Some("text/html; charset=utf-8"),
            "{}",
            self.text()
        );
        assert!(self.header("location").is_none());
        assert!(self.header("set-cookie").is_none());
    }

    /// The `Set-Cookie` as a browser sends it back.
    #[track_caller]
    pub fn cookie(&self) -> &str {
        let cookie = self.header("set-cookie").expect("a cookie is set");
        cookie.split(';').next().unwrap()
    }
}
