//! The Slack sandbox: as strict as Slack, and failing on request.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer};
use chrono::TimeDelta;
use data_encoding::BASE64URL_NOPAD;
use hallpass::adapters::OsEntropy;
use hallpass::sandbox::slack::{
    CLIENT_ID, CLIENT_SECRET, Endpoint, Fault, Flaw, PATH, PERSONAS, SlackSandbox,
};
use reqwest::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::support::client;
use super::support::clock::StoppedClock;

const REDIRECT_URI: &str = "http://localhost:3000/callback";

const V2: [(&str, &str); 4] = [
    ("client_id", CLIENT_ID),
    ("user_scope", "users:read,users:read.email"),
    ("redirect_uri", REDIRECT_URI),
    ("state", "a state & more"),
];

const OIDC: [(&str, &str); 6] = [
    ("client_id", CLIENT_ID),
    ("response_type", "code"),
    ("scope", "openid email profile"),
    ("redirect_uri", REDIRECT_URI),
    ("state", "a state"),
    ("nonce", "a nonce"),
];

const V2_AUTHORIZE: &str = "/oauth/v2/authorize";
const OIDC_AUTHORIZE: &str = "/openid/connect/authorize";
const V2_ACCESS: &str = "/api/oauth.v2.access";
const OIDC_TOKEN: &str = "/api/openid.connect.token";

#[tokio::test]
async fn allowing_redirects_back_with_a_code_and_the_state() {
    let slack = Slack::start().await;
    for (path, query) in [(V2_AUTHORIZE, &V2[..]), (OIDC_AUTHORIZE, &OIDC)] {
        let back = slack.back(path, query, "owner").await;
        assert!(back.as_str().starts_with(REDIRECT_URI), "{back}");
        assert!(!parameter(&back, "code").unwrap().is_empty());
        let state = query.iter().find(|(name, _)| *name == "state").unwrap().1;
        assert_eq!(parameter(&back, "state").as_deref(), Some(state));
        assert_eq!(parameter(&back, "error"), None);
    }
}

#[tokio::test]
async fn cancelling_redirects_back_with_access_denied() {
    let slack = Slack::start().await;
    let back = slack.back(V2_AUTHORIZE, &V2, "deny").await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("a state & more"));
    assert_eq!(parameter(&back, "code"), None);
}

#[tokio::test]
async fn a_parameter_in_the_redirect_uri_is_kept() {
    let slack = Slack::start().await;
    let query = changed(&V2, "redirect_uri", "http://localhost:3000/callback?x=1");
    let back = slack.back(V2_AUTHORIZE, &query, "owner").await;
    assert_eq!(parameter(&back, "x").as_deref(), Some("1"));
    assert!(parameter(&back, "code").is_some());
}

#[tokio::test]
async fn an_untrusted_request_gets_a_page_and_no_redirect() {
    let slack = Slack::start().await;
    let invalid = [
        (V2_AUTHORIZE, changed(&V2, "client_id", "another")),
        (V2_AUTHORIZE, changed(&V2, "client_id", "")),
        (V2_AUTHORIZE, changed(&V2, "redirect_uri", "//evil.example")),
        (
            V2_AUTHORIZE,
            changed(&V2, "redirect_uri", "https://evil.example/callback"),
        ),
        (
            V2_AUTHORIZE,
            changed(&V2, "redirect_uri", "http://localhost:3000/callbacks"),
        ),
        (V2_AUTHORIZE, changed(&V2, "user_scope", "")),
        (V2_AUTHORIZE, changed(&V2, "user_scope", "users:read admin")),
        (V2_AUTHORIZE, changed(&V2, "scope", "chat:write")),
        (OIDC_AUTHORIZE, changed(&OIDC, "response_type", "token")),
        (OIDC_AUTHORIZE, changed(&OIDC, "scope", "email")),
    ];
    for (path, query) in invalid {
        for answer in ["owner", "deny"] {
            let answer = slack.authorize(path, &changed(&query, "as", answer)).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query:?}");
            assert!(answer.is_html(), "{query:?}");
            assert!(!answer.headers.contains_key(LOCATION), "{query:?}");
        }
    }
    let unknown = changed(&V2, "as", "nobody");
    let answer = slack.authorize(V2_AUTHORIZE, &unknown).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    slack.back(V2_AUTHORIZE, &V2, "owner").await;
}

#[tokio::test]
async fn redirect_uris_can_be_registered_late() {
    let slack = Slack::start().await;
    let elsewhere = changed(&V2, "redirect_uri", "http://localhost:4000/back");
    let asked = changed(&elsewhere, "as", "owner");
    let before = slack.authorize(V2_AUTHORIZE, &asked).await;
    assert_eq!(before.status, StatusCode::BAD_REQUEST);
    slack
        .sandbox
        .set_redirect_uris(vec!["http://localhost:4000/".parse().unwrap()]);
    slack.back(V2_AUTHORIZE, &elsewhere, "owner").await;
}

#[tokio::test]
async fn the_consent_page_offers_every_persona_and_escapes_the_request() {
    let slack = Slack::start().await;
    let state = "\"><script>alert(1)</script>";
    let answer = slack
        .authorize(V2_AUTHORIZE, &changed(&V2, "state", state))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let page = answer.text();
    assert!(!page.contains("<script"), "{page}");
    for loader in ["<link", "<img", "<iframe", "@import", "url(", "<form"] {
        assert!(!page.contains(loader), "{loader}");
    }
    for persona in PERSONAS {
        assert!(page.contains(&format!("as-{}\"", persona.key)));
    }
    let policy = answer.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));

    for (id, outcome) in [("as-member", "code"), ("cancel", "error")] {
        let back = slack.follow(&page, id).await;
        assert!(parameter(&back, outcome).is_some(), "{back}");
        assert_eq!(parameter(&back, "state").as_deref(), Some(state));
    }
}

#[tokio::test]
async fn the_error_page_escapes_the_refused_address() {
    let slack = Slack::start().await;
    let evil = "javascript:alert(1)//\"><script>";
    let answer = slack
        .authorize(V2_AUTHORIZE, &changed(&V2, "redirect_uri", evil))
        .await;
    let page = answer.text();
    assert!(page.contains("&lt;script&gt;"), "{page}");
    assert!(!page.contains("<script") && !page.contains("href=\"javascript"));
    assert!(answer.headers.contains_key(CONTENT_SECURITY_POLICY));
}

#[tokio::test]
async fn a_user_scope_answer_has_its_token_under_authed_user() {
    let slack = Slack::start().await;
    let mut answer = slack.v2_answer("owner").await;
    let token = answer["authed_user"]["access_token"].take();
    assert!(token.as_str().unwrap().starts_with("xoxp-"));
    assert_eq!(
        answer.to_string(),
        r#"{"ok":true,"app_id":"A0HALLPASS","authed_user":{"id":"U0KATHERINE","scope":"users:read,users:read.email","access_token":null,"token_type":"user"},"team":{"id":"T0NUMBERS","name":"Numbers & Co"},"enterprise":null,"is_enterprise_install":false}"#
    );
}

#[tokio::test]
async fn an_org_wide_answer_has_no_team_and_a_bot_token() {
    let slack = Slack::start().await;
    let answer = slack.v2_answer("grid").await;
    assert_eq!(answer["team"], Value::Null);
    assert_eq!(
        answer["enterprise"],
        json!({"id": "E0UNION", "name": "Grand Union"})
    );
    assert_eq!(answer["is_enterprise_install"], true);
    assert_eq!(answer["token_type"], "bot");
    // The bot sees the person, but not their address.
    for (token, email) in [
        (&answer["access_token"], Value::Null),
        (
            &answer["authed_user"]["access_token"],
            "barbara@example.com".into(),
        ),
    ] {
        let user = slack.users_info("W0BARBARA", token.as_str().unwrap()).await;
        assert_eq!(user["user"]["profile"]["email"], email);
    }
}

#[tokio::test]
async fn users_info_has_the_persona_flags() {
    let slack = Slack::start().await;
    let user = slack.user("owner").await;
    assert_eq!(
        user.to_string(),
        r#"{"id":"U0KATHERINE","team_id":"T0NUMBERS","deleted":false,"real_name":"Katherine Johnson","is_admin":true,"is_owner":true,"is_restricted":false,"is_ultra_restricted":false,"is_bot":false,"is_email_confirmed":true,"profile":{"real_name":"Katherine Johnson","email":"katherine@example.com"}}"#
    );
    let member = slack.user("member").await;
    assert_eq!(member["is_owner"], false);
    assert_eq!(member["is_admin"], false);
    assert_eq!(slack.user("guest").await["is_restricted"], true);
    let silent = slack.user("no-email").await;
    assert_eq!(silent["profile"], json!({"real_name": "Margaret Hamilton"}));
    let second = slack.user("second-workspace").await;
    assert_ne!(second["team_id"], user["team_id"]);
    assert_eq!(second["id"], user["id"]);
    assert_eq!(second["profile"]["email"], user["profile"]["email"]);
    let unicode = slack.user("unicode").await;
    assert_eq!(unicode["real_name"], "Софья Ковалевская");
    let registered = slack.user("registered").await;
    assert_eq!(registered["profile"]["email"], "ada@example.com");
}

#[tokio::test]
async fn a_token_grants_only_the_requested_scopes() {
    let slack = Slack::start().await;
    let query = changed(&V2, "user_scope", "users:read");
    let answer = slack.exchange_as(V2_AUTHORIZE, &query, "member").await;
    let token = answer["authed_user"]["access_token"].as_str().unwrap();
    let user = slack.users_info("U0EDSGER", token).await;
    assert_eq!(user["user"]["profile"]["email"], Value::Null);
    assert_eq!(user["user"]["real_name"], "Edsger Dijkstra");

    let path = "/api/openid.connect.userInfo";
    assert_eq!(error(&slack.with_token(path, token).await), "missing_scope");
    assert_eq!(
        error(&slack.with_token(path, "xoxp-guessed").await),
        "invalid_auth"
    );
    let nobody = slack.call(Method::GET, path, |it| it).await;
    assert_eq!(error(&nobody.json()), "not_authed");
    // People of another workspace are unknown.
    assert_eq!(
        error(&slack.users_info("W0BARBARA", token).await),
        "user_not_found"
    );
}

#[tokio::test]
async fn a_changed_persona_is_seen_changed() {
    let slack = Slack::start().await;
    slack.sandbox.change_persona("member", |persona| {
        persona.email = Some("moved@example.com");
        persona.is_ultra_restricted = true;
    });
    let user = slack.user("member").await;
    assert_eq!(user["profile"]["email"], "moved@example.com");
    assert_eq!(user["is_ultra_restricted"], true);
}

#[tokio::test]
async fn an_id_token_is_signed_with_the_published_key() {
    let slack = Slack::start().await;
    let answer = slack.exchange_as(OIDC_AUTHORIZE, &OIDC, "owner").await;
    assert_eq!(answer["token_type"], "Bearer");
    let (header, claims, is_genuine) = slack.read(&answer).await;
    let keys = slack.call(Method::GET, "/openid/connect/keys", |it| it);
    let keys = keys.await.json();
    assert!(is_genuine);
    assert_eq!(header["alg"], "RS256");
    assert_eq!(header["kid"], keys["keys"][0]["kid"]);
    let now = slack.clock.timestamp();
    assert_eq!(
        claims,
        json!({
            "iss": "https://slack.com",
            "sub": "U0KATHERINE",
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "nonce": "a nonce",
            "https://slack.com/user_id": "U0KATHERINE",
            "https://slack.com/team_id": "T0NUMBERS",
            "email": "katherine@example.com",
            "email_verified": true,
            "name": "Katherine Johnson",
            "given_name": "",
            "family_name": "",
        })
    );
    let token = answer["access_token"].as_str().unwrap();
    let info = slack
        .with_token("/api/openid.connect.userInfo", token)
        .await;
    assert_eq!(info["sub"], claims["sub"]);
    assert_eq!(info["https://slack.com/team_name"], "Numbers & Co");
}

#[tokio::test]
async fn an_id_token_omits_claims_without_a_value() {
    let slack = Slack::start().await;
    let without_nonce: Vec<_> = OIDC.into_iter().filter(|it| it.0 != "nonce").collect();
    let answer = slack
        .exchange_as(OIDC_AUTHORIZE, &without_nonce, "no-email")
        .await;
    let (_, claims, _) = slack.read(&answer).await;
    assert_eq!(claims["nonce"], "");
    assert_eq!(claims.get("email"), None);
    assert_eq!(claims["email_verified"], false);

    let answer = slack.exchange_as(OIDC_AUTHORIZE, &OIDC, "grid").await;
    let (_, claims, _) = slack.read(&answer).await;
    assert_eq!(claims["https://slack.com/enterprise_id"], "E0UNION");

    let lean = changed(&OIDC, "scope", "openid");
    let answer = slack.exchange_as(OIDC_AUTHORIZE, &lean, "owner").await;
    let (_, claims, _) = slack.read(&answer).await;
    assert_eq!(claims.get("email"), None);
    assert_eq!(claims.get("name"), None);
}

#[tokio::test]
async fn a_code_works_once() {
    let slack = Slack::start().await;
    let code = slack.code(V2_AUTHORIZE, &V2).await;
    assert_eq!(slack.exchange(V2_ACCESS, &code).await["ok"], true);
    let again = slack.exchange(V2_ACCESS, &code).await;
    assert_eq!(again, json!({"ok": false, "error": "code_already_used"}));
}

#[tokio::test]
async fn a_code_is_valid_for_ten_minutes() {
    let slack = Slack::start().await;
    let early = slack.code(V2_AUTHORIZE, &V2).await;
    let late = slack.code(V2_AUTHORIZE, &V2).await;
    slack
        .clock
        .advance(TimeDelta::minutes(10) - TimeDelta::microseconds(1));
    assert_eq!(slack.exchange(V2_ACCESS, &early).await["ok"], true);
    slack.clock.advance(TimeDelta::microseconds(1));
    let expired = slack.exchange(V2_ACCESS, &late).await;
    assert_eq!(error(&expired), "invalid_code");
}

#[tokio::test]
async fn a_code_is_bound_to_its_client_and_redirect_uri() {
    let slack = Slack::start().await;
    let code = slack.code(V2_AUTHORIZE, &V2).await;
    let guessed = slack.exchange(V2_ACCESS, "guessed").await;
    assert_eq!(error(&guessed), "invalid_code");
    let other_flow = slack.exchange(OIDC_TOKEN, &code).await;
    assert_eq!(error(&other_flow), "oauth_authorization_url_mismatch");
    for redirect_uri in ["http://localhost:3000/callback/", ""] {
        let form = [("code", &*code), ("redirect_uri", redirect_uri)];
        let answer = slack.exchange_form(V2_ACCESS, &form).await;
        assert_eq!(error(&answer), "bad_redirect_uri");
    }
    let without = slack.exchange_form(V2_ACCESS, &[("code", &code)]).await;
    assert_eq!(error(&without), "bad_redirect_uri");
    let proof = [
        ("code", &*code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", "x"),
    ];
    let with_pkce = slack.exchange_form(V2_ACCESS, &proof).await;
    assert_eq!(error(&with_pkce), "internal_error");
    // None of that used up the code.
    assert_eq!(slack.exchange(V2_ACCESS, &code).await["ok"], true);
}

#[tokio::test]
async fn client_credentials_may_be_in_the_header_or_the_form() {
    let slack = Slack::start().await;
    for (id, secret, outcome) in [
        ("another", CLIENT_SECRET, "invalid_client_id"),
        ("", "", "invalid_client_id"),
        (CLIENT_ID, "wrong", "bad_client_secret"),
        (CLIENT_ID, "", "bad_client_secret"),
        (CLIENT_ID, CLIENT_SECRET, ""),
    ] {
        let outcome: Value = if outcome.is_empty() {
            Value::Null
        } else {
            outcome.into()
        };
        let code = slack.code(V2_AUTHORIZE, &V2).await;
        let form = encoded(&[("code", &code), ("redirect_uri", REDIRECT_URI)]);
        let answer = slack
            .call(Method::POST, V2_ACCESS, |it| {
                it.basic_auth(id, Some(secret)).body(form)
            })
            .await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json()["error"], outcome);

        let code = slack.code(V2_AUTHORIZE, &V2).await;
        let form = encoded(&[
            ("code", &code),
            ("redirect_uri", REDIRECT_URI),
            ("client_id", id),
            ("client_secret", secret),
        ]);
        let answer = slack.call(Method::POST, V2_ACCESS, |it| it.body(form));
        assert_eq!(answer.await.json()["error"], outcome);
    }
}

#[tokio::test]
async fn a_rate_limit_comes_with_and_without_its_header_and_body() {
    let slack = Slack::start().await;
    for (retry_after, body) in [(true, true), (true, false), (false, true), (false, false)] {
        let fault = Fault::RateLimited { retry_after, body };
        let answer = slack.with_fault(fault).await.unwrap();
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.headers.contains_key(RETRY_AFTER), retry_after);
        assert_eq!(!answer.body.is_empty(), body);
    }
}

#[tokio::test]
async fn answers_can_be_unreadable() {
    let slack = Slack::start().await;
    let page = slack.with_fault(Fault::ServerError).await.unwrap();
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    let page = slack.with_fault(Fault::Html).await.unwrap();
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.is_html());
    let cut = slack.with_fault(Fault::Truncated).await.unwrap();
    assert!(cut.text().starts_with("{\"ok\":true"));
    assert!(serde_json::from_slice::<Value>(&cut.body).is_err());
    let huge = slack.with_fault(Fault::Oversize).await.unwrap();
    assert!(huge.body.len() > 10_000_000);
    assert_eq!(huge.json()["ok"], true);
}

#[tokio::test]
async fn slack_can_refuse_with_any_error_or_none() {
    let slack = Slack::start().await;
    let answer = slack.with_fault(Fault::NotOk).await.unwrap();
    assert_eq!(answer.json(), json!({"ok": false}));
    let answer = slack.with_fault(Fault::error("made_up")).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json(), json!({"ok": false, "error": "made_up"}));
}

#[tokio::test]
async fn followed_redirects_are_detected() {
    let slack = Slack::start().await;
    let answer = slack.with_fault(Fault::Redirect).await.unwrap();
    assert_eq!(answer.status, StatusCode::FOUND);
    let location = answer.headers[LOCATION].to_str().unwrap();
    let path = location.strip_prefix(PATH).unwrap();
    assert_eq!(slack.sandbox.calls(Endpoint::Elsewhere), 0);
    slack.call(Method::GET, path, |it| it).await;
    assert_eq!(slack.sandbox.calls(Endpoint::Elsewhere), 1);
}

#[tokio::test]
async fn a_lost_connection_gives_no_answer() {
    let slack = Slack::start().await;
    assert!(slack.with_fault(Fault::Reset).await.is_err());
    assert!(slack.sends_right_answers().await);
}

#[tokio::test]
async fn a_silent_endpoint_answers_once_the_fault_is_cleared() {
    let slack = Slack::start().await;
    let silent = slack.with_fault(Fault::Silence);
    let (outcome, ()) = tokio::join!(silent, async {
        slack.sandbox.has_been_called(Endpoint::UsersInfo, 1).await;
        // Other requests are served meanwhile.
        slack.back(V2_AUTHORIZE, &V2, "owner").await;
        slack.sandbox.clear_faults();
    });
    assert!(outcome.is_err());
    assert!(slack.sends_right_answers().await);
}

#[tokio::test]
async fn a_fault_applies_to_its_call_count_and_endpoint_only() {
    let slack = Slack::start().await;
    slack
        .sandbox
        .fail_next(Endpoint::UsersInfo, Fault::error("fatal_error"), 2);
    let answer = slack.v2_answer("owner").await;
    let token = answer["authed_user"]["access_token"].as_str().unwrap();
    for expected in [json!("fatal_error"), json!("fatal_error"), Value::Null] {
        let answer = slack.users_info("U0KATHERINE", token).await;
        assert_eq!(answer["error"], expected);
    }
    assert_eq!(slack.sandbox.calls(Endpoint::UsersInfo), 3);
    assert_eq!(slack.sandbox.calls(Endpoint::OauthAccess), 1);
}

#[tokio::test]
async fn an_id_token_can_be_wrong_in_each_way() {
    let slack = Slack::start().await;
    let now = slack.clock.timestamp();
    for flaw in [
        Flaw::WrongAudience,
        Flaw::WrongIssuer,
        Flaw::WrongNonce,
        Flaw::AlgNone,
        Flaw::Hs256,
        Flaw::Expired,
        Flaw::UnknownKid,
        Flaw::BadSignature,
    ] {
        slack
            .sandbox
            .fail_next(Endpoint::OpenIdToken, Fault::IdToken(flaw), 1);
        let answer = slack.exchange_as(OIDC_AUTHORIZE, &OIDC, "owner").await;
        let (header, claims, is_genuine) = slack.read(&answer).await;
        let wrong = [
            claims["aud"] != CLIENT_ID,
            claims["iss"] != "https://slack.com",
            claims["nonce"] != "a nonce",
            header["alg"] == "none",
            header["alg"] == "HS256",
            claims["exp"].as_i64().unwrap() < now,
            header["kid"] != "slack-sandbox",
            header["alg"] == "RS256" && !is_genuine,
        ];
        let mut expected = [false; 8];
        expected[flaw as usize] = true;
        assert_eq!(wrong, expected, "{flaw:?}");
    }
}

#[tokio::test]
async fn programs_set_faults_with_json() {
    let slack = Slack::start().await;
    let order = |endpoint: &str, fault: &str| {
        let body = json!({"endpoint": endpoint, "fault": fault, "calls": 2}).to_string();
        slack.call(Method::POST, "/faults", |it| it.body(body))
    };
    let answer = order("users.info", "error:token_revoked").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!slack.sends_right_answers().await);
    let answer = slack.call(Method::DELETE, "/faults", |it| it).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(slack.sends_right_answers().await);

    for (endpoint, fault) in [
        ("chat.postMessage", "html"),
        ("users.info", "earthquake"),
        ("users.info", "error:"),
        ("users.info", "id_token_expired"),
    ] {
        let answer = order(endpoint, fault).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{endpoint} {fault}");
        assert!(answer.json()["error"].is_string());
    }
    assert!(slack.sends_right_answers().await);
}

#[tokio::test]
async fn people_set_faults_with_the_panels_buttons() {
    let slack = Slack::start().await;
    let panel = slack.call(Method::GET, "", |it| it).await.text();
    for button in panel.split("name=\"fault\" value=\"").skip(1) {
        let fault = button.split('"').next().unwrap();
        let form = encoded(&[
            ("endpoint", "openid.connect.token"),
            ("fault", fault),
            ("calls", "3"),
        ]);
        let answer = slack
            .call(Method::POST, "/faults", |it| {
                it.header("sec-fetch-site", "same-origin").body(form)
            })
            .await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{fault}");
        let panel = slack.call(Method::GET, "", |it| it).await.text();
        assert!(panel.contains(&format!("<b>{fault}</b>")), "{fault}");
    }
    let clear = slack.call(Method::POST, "/faults/clear", |it| it).await;
    assert_eq!(clear.status, StatusCode::SEE_OTHER);
    let panel = slack.call(Method::GET, "", |it| it).await.text();
    assert!(panel.contains("Every call gets the regular response"));
}

#[tokio::test]
async fn a_page_of_another_site_cannot_set_faults() {
    let slack = Slack::start().await;
    for path in ["/faults", "/faults/clear"] {
        for site in ["cross-site", "same-site"] {
            let form = encoded(&[
                ("endpoint", "users.info"),
                ("fault", "html"),
                ("calls", "1"),
            ]);
            let answer = slack
                .call(Method::POST, path, |it| {
                    it.header("sec-fetch-site", site).body(form)
                })
                .await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
        }
    }
    assert!(slack.sends_right_answers().await);
}

#[test]
fn personas_are_identified_by_workspace_and_id_together() {
    let mut keys: Vec<_> = PERSONAS
        .iter()
        .map(|persona| (persona.workspace.team_id, persona.user_id))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), PERSONAS.len());
}

/// A sandbox on a port of its own, stopped when dropped.
struct Slack {
    sandbox: SlackSandbox,
    clock: Arc<StoppedClock>,
    address: SocketAddr,
    http: reqwest::Client,
    server: ServerHandle,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn is_html(&self) -> bool {
        self.headers[CONTENT_TYPE]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    }
}

impl Slack {
    async fn start() -> Self {
        let clock = Arc::new(StoppedClock::new());
        let sandbox = SlackSandbox::new(
            clock.clone(),
            Arc::new(OsEntropy::new().unwrap()),
            vec![REDIRECT_URI.parse().unwrap()],
        );
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mounted = sandbox.clone();
        let server = HttpServer::new(move || {
            let sandbox = mounted.clone();
            App::new().configure(|config| sandbox.configure(config))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
        let handle = server.handle();
        tokio::spawn(server);
        let http = client::builder()
            .pool_max_idle_per_host(0)
            .timeout(Duration::from_secs(60))
            .build()
            .unwrap();
        Self {
            sandbox,
            clock,
            address,
            http,
            server: handle,
        }
    }

    async fn try_call(
        &self,
        method: Method,
        path: &str,
        dress: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> reqwest::Result<Answer> {
        let url = format!("http://{}{PATH}{path}", self.address);
        let response = dress(self.http.request(method, url)).send().await?;
        Ok(Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.bytes().await?.to_vec(),
        })
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        dress: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Answer {
        self.try_call(method, path, dress).await.unwrap()
    }

    async fn authorize(&self, path: &str, query: &[(&str, &str)]) -> Answer {
        let path = format!("{path}?{}", encoded(query));
        self.call(Method::GET, &path, |it| it).await
    }

    /// The URL the browser is redirected to.
    async fn back(&self, path: &str, query: &[(&str, &str)], answer: &str) -> Url {
        let answer = self.authorize(path, &changed(query, "as", answer)).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text());
        answer.headers[LOCATION].to_str().unwrap().parse().unwrap()
    }

    /// Clicks the link with that id on the consent page.
    async fn follow(&self, page: &str, id: &str) -> Url {
        let (before, _) = page.split_once(&format!("\" id=\"{id}\"")).unwrap();
        let (_, href) = before.rsplit_once("href=\"").unwrap();
        let path = V2_AUTHORIZE.to_owned() + &href.replace("&amp;", "&");
        let answer = self.call(Method::GET, &path, |it| it).await;
        answer.headers[LOCATION].to_str().unwrap().parse().unwrap()
    }

    async fn code_of(&self, path: &str, query: &[(&str, &str)], persona: &str) -> String {
        parameter(&self.back(path, query, persona).await, "code").unwrap()
    }

    async fn code(&self, path: &str, query: &[(&str, &str)]) -> String {
        self.code_of(path, query, "owner").await
    }

    async fn exchange_form(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let answer = self
            .call(Method::POST, path, |it| {
                it.basic_auth(CLIENT_ID, Some(CLIENT_SECRET))
                    .body(encoded(form))
            })
            .await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.json()
    }

    async fn exchange(&self, path: &str, code: &str) -> Value {
        let form = [("code", code), ("redirect_uri", REDIRECT_URI)];
        self.exchange_form(path, &form).await
    }

    async fn exchange_as(&self, path: &str, query: &[(&str, &str)], persona: &str) -> Value {
        let code = self.code_of(path, query, persona).await;
        let exchange = if path == V2_AUTHORIZE {
            V2_ACCESS
        } else {
            OIDC_TOKEN
        };
        self.exchange(exchange, &code).await
    }

    async fn v2_answer(&self, persona: &str) -> Value {
        self.exchange_as(V2_AUTHORIZE, &V2, persona).await
    }

    async fn with_token(&self, path: &str, token: &str) -> Value {
        let answer = self.call(Method::GET, path, |it| it.bearer_auth(token));
        answer.await.json()
    }

    async fn users_info(&self, user: &str, token: &str) -> Value {
        self.with_token(&format!("/api/users.info?user={user}"), token)
            .await
    }

    /// A persona's own answer of `users.info`.
    async fn user(&self, persona: &str) -> Value {
        let answer = self.v2_answer(persona).await;
        let person = &answer["authed_user"];
        let token = person["access_token"].as_str().unwrap();
        let mut answer = self.users_info(person["id"].as_str().unwrap(), token).await;
        answer["user"].take()
    }

    /// The answer of `users.info`, with a token, while a fault is set.
    async fn with_fault(&self, fault: Fault) -> reqwest::Result<Answer> {
        let answer = self.v2_answer("owner").await;
        let token = answer["authed_user"]["access_token"].as_str().unwrap();
        self.sandbox.fail_next(Endpoint::UsersInfo, fault, 1);
        self.try_call(Method::GET, "/api/users.info?user=U0KATHERINE", |it| {
            it.bearer_auth(token)
        })
        .await
    }

    async fn sends_right_answers(&self) -> bool {
        let answer = self.v2_answer("owner").await;
        let token = answer["authed_user"]["access_token"].as_str().unwrap();
        self.users_info("U0KATHERINE", token).await["ok"] == true
    }

    /// Header and claims of an answer's id_token, and whether the published key signed it.
    async fn read(&self, answer: &Value) -> (Value, Value, bool) {
        let token = answer["id_token"].as_str().unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let bytes = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
        let json = |text: &str| serde_json::from_slice(&bytes(text)).unwrap();
        let keys = self.call(Method::GET, "/openid/connect/keys", |it| it);
        let keys = keys.await.json();
        let key = RsaPublicKeyComponents {
            n: bytes(keys["keys"][0]["n"].as_str().unwrap()),
            e: bytes(keys["keys"][0]["e"].as_str().unwrap()),
        };
        let is_genuine = key
            .verify(
                &RSA_PKCS1_2048_8192_SHA256,
                format!("{}.{}", parts[0], parts[1]).as_bytes(),
                &bytes(parts[2]),
            )
            .is_ok();
        (json(parts[0]), json(parts[1]), is_genuine)
    }
}

impl Drop for Slack {
    fn drop(&mut self) {
        // Stopping is not waited for.
        drop(self.server.stop(false));
    }
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

/// The same with one value changed or added.
fn changed<'a>(
    pairs: &[(&'a str, &'a str)],
    name: &'a str,
    value: &'a str,
) -> Vec<(&'a str, &'a str)> {
    let mut pairs: Vec<_> = pairs
        .iter()
        .copied()
        .filter(|(other, _)| *other != name)
        .collect();
    pairs.push((name, value));
    pairs
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(other, _)| other == name)
        .map(|(_, value)| value.into_owned())
}

fn error(answer: &Value) -> &str {
    assert_eq!(answer["ok"], false);
    answer["error"].as_str().unwrap()
}
