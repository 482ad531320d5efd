//! Signing keys: tokens that others verify with public keys, their rotation, and the end of the shared secret.

use hallpass::config::Config;
use hallpass::crypto::token_keys::SecretUse::{self, Refused, Signs, Verifies};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, Browser, Db, OTHER_SECRET, PASSWORD, SECRET, SESSION_COOKIE, TestApp, jwt,
    on_both_databases, python,
};

/// Reads `{jwks, tokens}`, writes for each token what it says or why it is refused. It finds the key by its id, as
/// PyJWT's own client does.
const VERIFIER: &str = "
import json, sys, jwt
given = json.load(sys.stdin)
keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(given['jwks']).keys}
def verified(token):
    try:
        key = keys[jwt.get_unverified_header(token)['kid']]
        return jwt.decode(token, key, algorithms=['ES256'], options={'verify_exp': False, 'verify_iat': False})
    except (KeyError, jwt.PyJWTError) as error:
        return type(error).__name__
print(json.dumps([verified(token) for token in given['tokens']]))
";

on_both_databases! {
    async fn everything_works_with_a_signing_key_as_with_a_secret(db: Db) {
        let key = jwt::new_signing_key();
        let app = TestApp::configured(db, signing_with(&[&key], Refused)).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        assert_eq!(jwt::header(&ada.token)["alg"], "ES256");
        for _ in 0..2 {
            ada.me().await.expect(200);
        }
        let refreshed = ada.refreshes().await.expect(200);
        assert_eq!(alg(&refreshed["accessToken"]), "ES256");

        let browser = Browser::new(&app);
        browser.signs_in("ada@acme.example", PASSWORD).await.expect(200);
        let cookie = browser.cookie(SESSION_COOKIE).unwrap();
        assert_eq!(jwt::header(&cookie)["alg"], "ES256");
        assert_eq!(browser.session().await["user"], ada.user);
        // Browsers refuse a cookie of more than 4096 bytes with its attributes.
        assert!(cookie.len() < 1024, "{}", cookie.len());

        let login = json!({"name": "ada@acme.example", "password": PASSWORD, "returnToken": true});
        let opened = app.post("/api/v1/login").json(&login).await.expect(200);
        let token = opened["token"].as_str().unwrap();
        let search = json!({"from": 0, "size": 10});
        app.post(&format!("/api/v1/search?token={token}")).json(&search).await.expect(200);
    }

    async fn a_remembered_signature_does_not_outlive_its_session(db: Db) {
        let key = jwt::new_signing_key();
        let app = TestApp::configured(db, signing_with(&[&key], Refused)).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let there = app.second_instance().await;
        for instance in [&app, &there] {
            bob.at(instance).me().await.expect(200);
            ada.at(instance).me().await.expect(200);
        }
        bob.logs_out().await.expect(200);
        bob.me().await.refused(401, "Token revoked");
        crate::support::eventually("the other instance refuses it", async || {
            bob.at(&there).me().await.status == 401
        })
        .await;
        ada.me().await.expect(200);
        let expiry = jwt::claims(&ada.token)["exp"].as_i64().unwrap();
        app.advance(chrono::TimeDelta::seconds(expiry - app.clock.timestamp()));
        ada.me().await.refused(401, "Token expired");
    }

    async fn tokens_of_the_secret_are_refused_once_it_is_not_accepted(db: Db) {
        let mut app = TestApp::start(db).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let key = jwt::new_signing_key();
        app.restart_configured(signing_with(&[&key], Verifies)).await;
        ada.me().await.expect(200);
        assert_eq!(alg(&ada.refreshes().await.expect(200)["accessToken"]), "ES256");
        let renewed = ada.signs_in_again().await;

        app.restart_configured(signing_with(&[&key], Refused)).await;
        renewed.me().await.expect(200);
        let of_the_secret = jwt::altered(&ada.token, SECRET, |_| {});
        for token in [&ada.token, &of_the_secret] {
            for (method, path) in [
                (Method::GET, "/api/auth/me"),
                (Method::PATCH, "/api/auth/me"),
                (Method::POST, "/api/auth/refresh"),
                (Method::GET, "/api/auth/sessions"),
                (Method::POST, "/api/auth/logout"),
                (Method::POST, "/api/auth/logout-all"),
                (Method::GET, "/api/auth/account"),
                (Method::GET, "/api/users"),
                (Method::GET, "/api/organizations"),
                (Method::GET, "/api/tokens"),
                (Method::GET, "/api/audit"),
            ] {
                let call = app.client.call(method.clone(), path).bearer(token);
                let answer = call.json(&json!({})).await;
                assert_eq!(answer.status, 401, "{method} {path}: {}", answer.text());
            }
            let browser = Browser::new(&app);
            browser.set_cookie(SESSION_COOKIE, token);
            assert_eq!(browser.session().await, json!({}));
            assert_eq!(browser.cookie(SESSION_COOKIE), None);
        }
        renewed.me().await.expect(200);
    }

    async fn instances_go_over_to_a_key_one_after_the_other(db: Db) {
        let mut first = TestApp::start(db).await;
        let mut second = first.second_instance().await;
        let ada = first.signs_up("Acme", "ada@acme.example").await;
        let key = jwt::new_signing_key();
        for (secret_use, expected) in [(Signs, "HS256"), (Verifies, "ES256")] {
            first.restart_configured(signing_with(&[&key], secret_use)).await;
            for (app, other) in [(&first, &second), (&second, &first)] {
                let renewed = ada.at(app).signs_in_again().await;
                renewed.at(other).me().await.expect(200);
            }
            let renewed = ada.at(&first).signs_in_again().await;
            assert_eq!(jwt::header(&renewed.token)["alg"], expected);
            second.restart_configured(signing_with(&[&key], secret_use)).await;
        }
    }

    async fn keys_rotate_without_signing_anyone_out(db: Db) {
        let (old, new) = (jwt::new_signing_key(), jwt::new_signing_key());
        let mut app = TestApp::configured(db, signing_with(&[&old], Refused)).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let before = published(&app).await;
        app.restart_configured(signing_with(&[&old, &new], Refused)).await;
        ada.me().await.expect(200);
        let both = published(&app).await;
        assert_eq!(both.len(), 2);
        assert_eq!(both[0], before[0]);
        assert_eq!(jwt::header(&ada.signs_in_again().await.token)["kid"], before[0]);

        app.restart_configured(signing_with(&[&new, &old], Refused)).await;
        ada.me().await.expect(200);
        let renewed = ada.signs_in_again().await;
        assert_eq!(jwt::header(&renewed.token)["kid"], both[1]);
        app.restart_configured(signing_with(&[&new], Refused)).await;
        renewed.me().await.expect(200);
        ada.me().await.refused(401, "Invalid token");
        assert_eq!(published(&app).await, [both[1].clone()]);
    }
}

#[actix_web::test]
async fn an_independent_verifier_accepts_our_tokens_by_the_published_keys() {
    let Some(python) = python::python("PYJWT_PYTHON", "PyJWT") else {
        return;
    };
    let (old, new) = (jwt::new_signing_key(), jwt::new_signing_key());
    let mut app = TestApp::configured(Db::sqlite(), signing_with(&[&old], Verifies)).await;
    let first = app.signs_up("Acme", "ada@acme.example").await;
    app.restart_configured(signing_with(&[&new, &old], Verifies))
        .await;
    let second = first.signs_in_again().await;
    let jwks = app.get("/.well-known/jwks.json").await.expect(200);
    let of_the_secret = jwt::sign(
        &json!({"alg": "HS256", "typ": "JWT", "kid": jwt::header(&second.token)["kid"]}),
        &jwt::claims(&second.token),
        SECRET,
    );
    let (signed, signature) = second.token.rsplit_once('.').unwrap();
    let other = first.token.rsplit_once('.').unwrap().1;
    let given = json!({"jwks": jwks, "tokens": [
        first.token,
        second.token,
        of_the_secret,
        format!("{signed}.{other}"),
        format!("{}.{signature}", first.token.rsplit_once('.').unwrap().0),
    ]});
    let expected = json!([
        jwt::claims(&first.token),
        jwt::claims(&second.token),
        "InvalidAlgorithmError",
        "InvalidSignatureError",
        "InvalidSignatureError",
    ]);
    assert_eq!(python::run(&python, VERIFIER, &given), expected);
}

#[actix_web::test]
async fn the_published_keys_are_public_and_can_be_kept() {
    let (first, second) = (jwt::new_signing_key(), jwt::new_signing_key());
    let app = TestApp::configured(Db::sqlite(), |config| {
        signing_with(&[&first, &second], Verifies)(config);
        config.tokens.secrets = vec![SECRET.into(), OTHER_SECRET.into()];
    })
    .await;
    let answer = app.get("/.well-known/jwks.json").await;
    let keys = answer.expect(200)["keys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), 2);
    for key in keys {
        let names: Vec<&String> = key.as_object().unwrap().keys().collect();
        assert_eq!(names, ["kty", "crv", "x", "y", "kid", "use", "alg"]);
        assert_eq!(key["kty"], "EC");
        assert_eq!((&key["crv"], &key["use"]), (&json!("P-256"), &json!("sig")));
        assert_eq!(key["alg"], "ES256");
        assert!(
            ["x", "y", "kid"]
                .iter()
                .all(|name| key[*name].as_str().unwrap().len() == 43)
        );
    }
    is_public(&app, "/.well-known/jwks.json", &answer).await;
    let metadata = app.get("/.well-known/oauth-authorization-server").await;
    metadata.expect(200);
    is_public(&app, "/.well-known/oauth-authorization-server", &metadata).await;
}

async fn is_public(app: &TestApp, path: &str, answer: &Answer) {
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let tag = answer.header("etag").unwrap();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    for (known, status) in [
        (tag, 304),
        (&format!("\"other\", {tag}"), 304),
        (&format!("W/{tag}"), 304),
        ("*", 304),
        ("\"other\"", 200),
        ("nonsense", 200),
        ("", 200),
    ] {
        let again = app.get(path).header("if-none-match", known).await;
        assert_eq!(again.status, status, "{known}");
        assert_eq!(again.header("etag"), Some(tag));
        assert_eq!(again.text().is_empty(), status == 304);
    }
    for origin in ["https://stranger.example", "null"] {
        let read = app.get(path).header("origin", origin).await;
        assert_eq!(read.header("access-control-allow-origin"), Some("*"));
        assert_eq!(read.header("access-control-allow-credentials"), None);
        assert_eq!(
            read.header("vary"),
            None,
            "an answer for everyone is one answer"
        );
    }
    let head = app.client.call(Method::HEAD, path).await;
    assert_eq!((head.status.as_u16(), head.text().as_str()), (200, ""));
}

#[actix_web::test]
async fn without_a_signing_key_there_is_nothing_to_publish() {
    let app = TestApp::start(Db::sqlite()).await;
    for path in [
        "/.well-known/jwks.json",
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        // A cache would say for five minutes that there is no key.
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
}

#[actix_web::test]
async fn the_metadata_names_the_issuer_of_tokens() {
    let key = jwt::new_signing_key();
    let mut app = TestApp::configured(Db::sqlite(), |config| {
        signing_with(&[&key], Verifies)(config);
        config.server.public_url = "https://id.example/base/".parse().unwrap();
    })
    .await;
    let path = "/.well-known/oauth-authorization-server";
    let metadata = json!({
        "issuer": "https://id.example/base",
        "jwks_uri": "https://id.example/base/.well-known/jwks.json",
        "introspection_endpoint": "https://id.example/base/api/auth/introspect",
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
        "response_types_supported": [],
        "grant_types_supported": [],
    });
    assert_eq!(app.get(path).await.expect(200), metadata);
    app.restart_configured(|config| {
        config.tokens.issuer = Some("https://issuer.example".to_owned());
    })
    .await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    let issuer = &app.get(path).await.expect(200)["issuer"];
    assert_eq!(issuer, "https://issuer.example");
    assert_eq!(&jwt::claims(&ada.token)["iss"], issuer);
}

fn signing_with(pems: &[&str], secret_use: SecretUse) -> impl FnOnce(&mut Config) + use<> {
    let keys = jwt::signing(pems, secret_use);
    |config| config.tokens.signing = keys
}

/// The ids of the published keys.
async fn published(app: &TestApp) -> Vec<Value> {
    let jwks = app.get("/.well-known/jwks.json").await.expect(200);
    let keys = jwks["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].clone()).collect()
}

fn alg(token: &Value) -> String {
    let header = jwt::header(token.as_str().unwrap());
    header["alg"].as_str().unwrap().to_owned()
}
