//! Sessions of an earlier system are exchanged for ours, and everything that must not be one.

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use futures_util::future::join_all;
use hallpass::config::{Config, LegacySessions};
use hallpass::crypto::legacy_session::Format;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::process::{Server, hallpass_on, stderr};
use crate::support::{
    Actor, Answer, Browser, Db, OTHER_PASSWORD, OTHER_SECRET, PASSWORD, SECRET, SESSION_COOKIE,
    TestApp, jwt, on_both_databases, scratch,
};

const ADA: &str = "ada@acme.example";
const EXCHANGE: &str = "/api/auth/session/exchange";

/// Made by the real packages: `tests/legacy-sessions/make.mjs`.
fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/legacy_sessions.json")).unwrap()
}

fn time(seconds: &Value) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds.as_i64().unwrap(), 0).unwrap()
}

/// An application whose people were signed in to `source` before.
async fn moved(db: Db, now: DateTime<Utc>, source: &str, secret: &str) -> TestApp {
    moved_with(db, now, source, secret, |_| {}).await
}

async fn moved_with(
    db: Db,
    now: DateTime<Utc>,
    source: &str,
    secret: &str,
    change: impl FnOnce(&mut Config),
) -> TestApp {
    let (_, format) = Format::ALL
        .into_iter()
        .find(|(name, _)| *name == source)
        .unwrap();
    TestApp::at(db, now, |config| {
        config.legacy_sessions = Some(LegacySessions {
            format,
            source: source.to_owned(),
            secrets: match secret.strip_prefix('{') {
                Some(_) => vec![secret.into()],
                None => secret.split(',').map(Into::into).collect(),
            },
            cookie: None,
            issuer: None,
            until: now + TimeDelta::days(30),
            cut_over: None,
        });
        change(config);
    })
    .await
}

/// As an import would write it.
async fn is_imported(app: &TestApp, email: &str, source: &str, external_id: &str) {
    app.db
        .execute(&format!(
            "insert into external_ids (source, external_id, user_id, imported_at, fingerprint)
             select '{source}', '{external_id}', id, created_at, '' from users where email = '{email}'"
        ))
        .await;
}

async fn has_stored_session(app: &TestApp, email: &str, source: &str, token: &str, days: i64) {
    let hash = BASE64URL_NOPAD.encode(digest(&SHA256, token.as_bytes()).as_ref());
    let later = match app.db {
        Db::Sqlite { .. } => format!("created_at + {days} * 86400000000"),
        Db::Postgres { .. } => format!("created_at + interval '{days} days'"),
    };
    app.db
        .execute(&format!(
            "insert into legacy_sessions (source, token_hash, user_id, expires_at)
             select '{source}', '{hash}', id, {later} from users where email = '{email}'"
        ))
        .await;
}

/// The application whose own tokens are taken, and a person who comes from there. It is another one for each cell.
struct Own {
    app: TestApp,
    ada: Actor,
}

impl Own {
    async fn on(db: &Db) -> Self {
        Self::with(db, |_| {}).await
    }

    async fn with(db: &Db, change: impl FnOnce(&mut Config)) -> Self {
        let now = time(&json!(1_800_000_000));
        let app = moved_with(db.fresh().await, now, "jwt", OTHER_SECRET, change).await;
        let ada = app.signs_up("Acme", ADA).await;
        is_imported(&app, ADA, "jwt", "4711").await;
        Self { app, ada }
    }

    /// A token of the application, issued an hour ago, with some claims replaced.
    fn token(&self, claims: &Value) -> String {
        let now = self.app.clock.timestamp();
        let mut payload =
            json!({"sub": "4711", "iat": now - 3600, "exp": now + 7 * 86400, "email": ADA});
        for (claim, value) in claims.as_object().unwrap() {
            payload[claim] = value.clone();
        }
        jwt::sign(
            &json!({"alg": "HS256", "typ": "JWT"}),
            &payload,
            OTHER_SECRET,
        )
    }

    async fn exchanges(&self, token: &str) -> Answer {
        self.app.post(EXCHANGE).bearer(token).await
    }

    async fn refuses(&self, token: &str, status: u16, code: &str) {
        let answer = self.exchanges(token).await;
        answer.refused_with(status, code);
    }
}

on_both_databases! {
    async fn old_sessions_of_each_system_become_ours(db: Db) {
        let file = vectors();
        // Later than they were issued.
        let now = time(&file["made_at"]) + TimeDelta::hours(1);
        let mut exchanged = 0;
        for vector in file["vectors"].as_array().unwrap() {
            let (Some(source), Some(secret)) = (vector["source"].as_str(), vector["secret"].as_str()) else {
                continue;
            };
            let name = vector["name"].as_str().unwrap();
            let app = moved(db.fresh().await, now, source, secret).await;
            let ada = app.signs_up("Acme", ADA).await;
            ada.logs_out().await.expect(200);
            is_imported(&app, ADA, source, "ckx1ada0000").await;
            if let Some(token) = vector["stored"].as_str() {
                has_stored_session(&app, ADA, source, token, 7).await;
            }
            let is_good = vector.get("subject").or(vector.get("stored")).is_some();
            let ends_at = vector.get("expires_at").map_or(now + TimeDelta::days(7) + TimeDelta::seconds(1), time);
            let mails = app.emails_to(ADA).await.len();
            if let Some(token) = vector["token"].as_str() {
                let answer = app.post(EXCHANGE).bearer(token).await;
                if is_good {
                    assert_eq!(answer.expect(200)["user"], ada.user, "{name}");
                } else {
                    answer.refused_with(401, "invalid_token");
                }
            } else {
                comes_with_cookies(&app, vector, &ada, is_good).await;
            }
            assert_eq!(app.emails_to(ADA).await.len(), mails, "{name}");
            let rows = app.db.count("select count(*) from audit where action = 'session.exchanged'").await;
            assert_eq!(rows, i64::from(is_good), "{name}");
            if is_good {
                let sessions = app.logs_in(ADA, PASSWORD).await.sessions().await;
                let old = sessions.iter().find(|it| it["current"] == false).unwrap();
                let end: DateTime<Utc> = old["expiresAt"].as_str().unwrap().parse().unwrap();
                assert!(end <= ends_at && end > ends_at - TimeDelta::hours(1), "{name}: {end} {ends_at}");
                exchanged += 1;
            }
        }
        assert!(exchanged >= 11, "{exchanged}");
    }

    async fn a_token_of_an_application_is_exchanged_once(db: Db) {
        let own = Own::on(&db).await;
        let token = own.token(&json!({}));
        assert_eq!(own.exchanges(&token).await.expect(200)["user"], own.ada.user);
        own.refuses(&token, 401, "token_revoked").await;
        // In the body as well.
        let token = own.token(&json!({"jti": "2"}));
        let in_body = || own.app.post(EXCHANGE).json(&json!({"token": token}));
        in_body().bearer(&token).await.refused_with(401, "invalid_token");
        in_body().await.expect(200);
        in_body().await.refused_with(401, "token_revoked");
        own.app.post(EXCHANGE).json(&json!({})).await.refused_with(401, "authentication_required");
        // Of several at once, one counts.
        let token = own.token(&json!({"jti": "3"}));
        let answers = join_all((0..6).map(|_| own.exchanges(&token))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        assert_eq!(own.app.db.count("select count(*) from audit where action = 'session.exchanged'").await, 3);
        let method = "select method as v from audit where action = 'session.exchanged' limit 1";
        assert_eq!(own.app.db.values(method).await, [Some("legacy_session".to_owned())]);
    }

    async fn only_what_the_system_issued_to_imported_people_is_exchanged(db: Db) {
        let own = Own::on(&db).await;
        let now = own.app.clock.timestamp();
        for (claims, code) in [
            (json!({"sub": "4712"}), "invalid_token"),
            // An address proves nothing.
            (json!({"sub": ADA}), "invalid_token"),
            (json!({"sub": own.ada.id()}), "invalid_token"),
            (json!({"sub": null}), "invalid_token"),
            (json!({"iat": null}), "invalid_token"),
            (json!({"exp": null}), "invalid_token"),
            // After the cut-over, which was the import.
            (json!({"iat": now + 1}), "invalid_token"),
            (json!({"exp": now}), "token_expired"),
            (json!({"iat": now - 10_000, "exp": now - 9_000}), "token_expired"),
        ] {
            own.refuses(&own.token(&claims), 401, code).await;
        }
        let other = jwt::altered(&own.token(&json!({})), "another secret", |_| {});
        own.refuses(&other, 401, "invalid_token").await;
        own.refuses("nonsense", 401, "invalid_token").await;
        // People of another source.
        own.app.db.execute("update external_ids set source = 'nextauth'").await;
        own.refuses(&own.token(&json!({})), 401, "invalid_token").await;
    }

    async fn our_own_tokens_are_no_old_ones_though_the_secret_is_the_same(db: Db) {
        let own = Own::with(&db, |config| {
            let legacy = config.legacy_sessions.as_mut().unwrap();
            legacy.secrets = vec![SECRET.into()];
        }).await;
        is_imported(&own.app, "nobody", "x", "y").await;
        own.app.db.execute(&format!("update external_ids set external_id = '{}'", own.ada.id())).await;
        own.app.advance(TimeDelta::hours(1));
        own.app.db.execute(match own.app.db {
            Db::Sqlite { .. } => "update external_ids set imported_at = imported_at + 1000000000",
            Db::Postgres { .. } => "update external_ids set imported_at = imported_at + interval '1000 seconds'",
        }).await;
        own.refuses(&own.ada.token, 401, "invalid_token").await;
        let old = jwt::sign(&json!({"alg": "HS256"}), &jwt::claims(&own.ada.token), SECRET);
        own.exchanges(&old).await.expect(200);
    }

    async fn old_sessions_end_with_those_that_their_owner_ends_here(db: Db) {
        for act in ["password", "reset", "logout-all", "disabled", "enabled again", "deleted"] {
            let own = Own::on(&db).await;
            let token = own.token(&json!({}));
            let (app, ada) = (&own.app, &own.ada);
            match act {
                "password" => { ada.changes_password(PASSWORD, OTHER_PASSWORD).await.expect(200); }
                "reset" => {
                    app.forgets_password(ADA).await.expect(200);
                    let link = app.mailed_token(ADA, "reset_password").await;
                    app.resets_password(&link, OTHER_PASSWORD).await.expect(200);
                }
                "logout-all" => { ada.post("/api/auth/logout-all").await.expect(200); }
                "disabled" => app.disables(ADA).await,
                "enabled again" => {
                    app.disables(ADA).await;
                    app.db.execute("update users set disabled_at = null").await;
                    ada.signs_in_again().await.post("/api/auth/logout-all").await.expect(200);
                }
                _ => app.db.execute(&format!("delete from users where id = {}", app.db.id(ada.id()))).await,
            }
            let code = if act == "deleted" { "invalid_token" } else { "token_revoked" };
            own.refuses(&token, 401, code).await;
        }
        // What is nobody's wish to be signed out elsewhere.
        let own = Own::on(&db).await;
        own.ada.logs_out().await.expect(200);
        own.ada.signs_in_again().await;
        own.exchanges(&own.token(&json!({}))).await.expect(200);
    }

    async fn no_second_factor_and_no_verification_is_skipped(db: Db) {
        let own = Own::on(&db).await;
        let token = own.token(&json!({}));
        let authenticator = own.ada.enrols(&own.app).await;
        // The enrolment has ended other sessions.
        own.refuses(&token, 401, "token_revoked").await;
        own.app.db.execute("update external_ids set sessions_ended_at = null").await;
        own.refuses(&token, 401, "second_factor_required").await;
        let browser = Browser::new(&own.app);
        browser.set_cookie(SESSION_COOKIE, &token);
        assert_eq!(browser.session().await, json!({}));
        assert_eq!(browser.cookie(SESSION_COOKIE), Some(token.clone()));
        assert_eq!(own.app.db.count("select count(*) from one_time_tokens where purpose = 'legacy_session'").await, 0);
        drop(authenticator);

        let own = Own::on(&db).await;
        own.app.requires_mfa(own.ada.organization_id()).await;
        own.refuses(&own.token(&json!({})), 403, "mfa_enrolment_required").await;

        let mut own = Own::on(&db).await;
        own.app.restart_configured(|config| config.accounts.require_verified_email = true).await;
        own.app.db.execute("update users set email_verified_at = null").await;
        own.refuses(&own.token(&json!({})), 403, "email_not_verified").await;
        own.app.db.execute("update users set email_verified_at = created_at").await;
        own.exchanges(&own.token(&json!({}))).await.expect(200);
    }

    async fn an_exchanged_session_ends_with_the_old_one_and_proves_nothing(db: Db) {
        let own = Own::on(&db).await;
        let now = own.app.clock.timestamp();
        let token = own.token(&json!({"exp": now + 2 * 86400}));
        let answer = own.exchanges(&token).await.expect(200);
        assert_eq!(answer["expiresIn"], 2 * 86400);
        let mut ada = own.ada.clone();
        ada.takes_token(&answer);
        // What needs a recent proof does not count the old one.
        ada.get("/api/auth/account/export").await.refused_with(403, "reauthentication_required");
        own.app.advance(TimeDelta::days(1));
        ada.takes_token(&ada.refreshes().await.expect(200));
        ada.me().await.expect(200);
        own.app.advance(TimeDelta::days(1) - TimeDelta::minutes(1));
        assert!(ada.refreshes().await.expect(200)["expiresIn"].as_i64().unwrap() <= 60);
        own.app.advance(TimeDelta::minutes(1));
        ada.me().await.refused_with(401, "token_expired");

        // Never beyond our own lifetimes.
        let own = Own::with(&db, |config| config.tokens.lifetimes.session = "1d".parse().unwrap()).await;
        let answer = own.exchanges(&own.token(&json!({}))).await.expect(200);
        assert_eq!(answer["expiresIn"], 86400);
    }

    async fn old_sessions_are_exchanged_for_a_while_if_the_operator_says_so(db: Db) {
        let own = Own::on(&db).await;
        own.app.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
        let now = own.app.clock.timestamp();
        let claims = json!({"iat": now - 40 * 86400});
        own.exchanges(&own.token(&claims)).await.expect(200);
        own.app.advance(TimeDelta::seconds(1));
        own.refuses(&own.token(&claims), 401, "invalid_token").await;
        let browser = Browser::new(&own.app);
        let token = own.token(&claims);
        browser.set_cookie(SESSION_COOKIE, &token);
        assert_eq!(browser.session().await, json!({}));
        assert_eq!(browser.cookie(SESSION_COOKIE), Some(token));

        let own = Own::with(&db, |config| config.legacy_sessions = None).await;
        own.refuses(&own.token(&json!({})), 401, "invalid_token").await;

        // Another cut-over than the import.
        let own = Own::with(&db, |config| {
            let legacy = config.legacy_sessions.as_mut().unwrap();
            legacy.cut_over = Some(time(&json!(1_800_000_000)) - TimeDelta::hours(2));
        }).await;
        own.refuses(&own.token(&json!({})), 401, "invalid_token").await;
        own.exchanges(&own.token(&json!({"iat": 1_800_000_000 - 7201}))).await.expect(200);
    }

    async fn a_page_and_a_gate_know_who_comes_with_an_old_cookie(db: Db) {
        for path in ["/api/auth/verify", "/api/auth/verify-or-sign-in/orders", "/join?token=x"] {
            let own = Own::with(&db, |config| {
                config.legacy_sessions.as_mut().unwrap().cookie = Some("sid".to_owned());
            }).await;
            let browser = Browser::new(&own.app);
            browser.set_cookie("sid", &own.token(&json!({})));
            let answer = browser.get(path).await;
            if path.starts_with("/api") {
                assert_eq!(answer.status, 200, "{path}");
                assert_eq!(answer.header("remote-email"), Some(ADA));
            }
            assert_eq!(browser.cookie("sid"), None, "{path}");
            assert_eq!(browser.session().await["user"], own.ada.user, "{path}");
            // Signed out is signed out.
            browser.post_form("/api/auth/signout", &[("json", "true")]).await.expect(200);
            assert_eq!(browser.session().await, json!({}));
        }
        // Nothing else exchanges: of requests that a page sends at once, only one could.
        let own = Own::with(&db, |config| {
            config.legacy_sessions.as_mut().unwrap().cookie = Some("sid".to_owned());
        }).await;
        let browser = Browser::new(&own.app);
        browser.set_cookie("sid", &own.token(&json!({})));
        for path in ["/api/auth/csrf", "/api/auth/providers", "/api/auth/me", "/livez"] {
            browser.get(path).await;
        }
        let post = browser.call(reqwest::Method::POST, "/api/auth/verify").await;
        post.refused_with(401, "authentication_required");
        assert!(browser.cookie("sid").is_some() && browser.cookie(SESSION_COOKIE).is_none());
        // A sign-in replaces the old session, which would come back after a sign-out.
        browser.signs_in(ADA, PASSWORD).await.expect(200);
        assert_eq!(browser.cookie("sid"), None);
    }

    async fn stored_sessions_are_imported_by_their_hash(db: Db) {
        let file = vectors();
        let mut all = file["vectors"].as_array().unwrap().iter();
        let vector = all.find(|vector| vector["source"] == "better-auth").unwrap();
        let now = time(&file["made_at"]) + TimeDelta::hours(1);
        let app = moved(db, now, "better-auth", vector["secret"].as_str().unwrap()).await;
        let ada = app.signs_up("Acme", ADA).await;
        is_imported(&app, ADA, "better-auth", "ckx1ada0000").await;
        let rows = scratch::fresh_path("sessions.ndjson");
        let token = vector["stored"].as_str().unwrap();
        let row = |user: &str, expires: Value| {
            json!({"token": token, "userId": user, "expiresAt": expires, "ipAddress": ""})
        };
        let of = |rows: &[Value]| rows.iter().map(|row| format!("{row}\n")).collect::<String>();
        let import = |source: &str| {
            let arguments = ["import", "sessions", rows.to_str().unwrap(), "--source", source, "--json"];
            hallpass_on(&app.db, &arguments).output().unwrap()
        };
        // The command counts by the real time.
        let good = of(&[
            row("ckx1ada0000", json!("2199-01-01T00:00:00.000Z")),
            row("somebody else", json!("2199-01-01 00:00:00")),
            row("ckx1ada0000", json!(1_000_000_000)),
        ]);
        std::fs::write(&rows, good).unwrap();
        let nobody = import("nextauth");
        assert_eq!(nobody.status.code(), Some(65));
        assert!(stderr(&nobody).contains("no session was imported: import the people first"));
        for _ in 0..2 {
            let output = import("better-auth");
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            let told: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(told, json!({"imported": 1, "expired": 1, "unknown": 1}));
        }
        let hash = "select token_hash as v from legacy_sessions";
        assert!(!app.db.values(hash).await.contains(&Some(token.to_owned())));
        comes_with_cookies(&app, vector, &ada, true).await;
        for (bad, why) in [
            ("[{\"token\": 1}]", "row 1: invalid type: integer"),
            ("{\"token\": \"a\"}", "row 1: missing field `userId`. Each row has token, userId and expiresAt"),
            ("{\"token\"", "is not JSON: EOF"),
        ] {
            std::fs::write(&rows, bad).unwrap();
            let output = import("better-auth");
            assert_eq!(output.status.code(), Some(65), "{bad}");
            assert!(stderr(&output).contains(why), "{}", stderr(&output));
        }
    }
}

#[actix_web::test]
async fn no_server_starts_that_would_exchange_them_for_too_long() {
    let secret = "an earlier secret, of no less than 32 bytes";
    let in_days = |days| (Utc::now() + TimeDelta::days(days)).to_rfc3339();
    for (until, fits) in [
        (in_days(59), true),
        (in_days(61), false),
        (in_days(-1), true),
    ] {
        let mut command = hallpass_on(&Db::sqlite(), &["serve"]);
        command
            .env("LEGACY_SESSION_SOURCE", "nextauth")
            .env("LEGACY_SESSION_SECRET", secret)
            .env("LEGACY_SESSION_UNTIL", &until);
        if fits {
            let server = Server::run(command).await;
            server.client.get("/livez").await.expect(200);
            continue;
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(78));
        let why = "is more than 60 days ahead. Set it to";
        assert!(
            stderr(&output).contains("LEGACY_SESSION_UNTIL: ") && stderr(&output).contains(why)
        );
    }
}

/// Reads the session with the vector's cookies, twice, and then as another browser that has them too.
async fn comes_with_cookies(app: &TestApp, vector: &Value, ada: &Actor, is_good: bool) {
    let old = vector["cookies"].as_object().unwrap();
    let browsers = [Browser::new(app), Browser::new(app)];
    for browser in &browsers {
        for (name, value) in old {
            browser.set_cookie(name, value.as_str().unwrap());
        }
    }
    let [first, second] = browsers;
    let has_all = |browser: &Browser| old.keys().all(|name| browser.cookie(name).is_some());
    if is_good {
        assert_eq!(
            first.session().await["user"],
            ada.user,
            "{}",
            vector["name"]
        );
        assert!(
            old.keys().all(|name| first.cookie(name).is_none()),
            "{}",
            vector["name"]
        );
        assert_eq!(first.session().await["user"], ada.user);
    } else {
        assert_eq!(first.session().await, json!({}), "{}", vector["name"]);
        assert!(has_all(&first));
    }
    assert_eq!(second.session().await, json!({}), "{}", vector["name"]);
    assert!(has_all(&second));
}
