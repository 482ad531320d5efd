//! Which organization a sign-in speaks for: the one named, else the host's tenant, else the one used last.

use hallpass::config::Config;
use hallpass::domain::{ProxyHeader, TokenDelivery};
use serde_json::{Value, json};
use url::Url;

use crate::support::jwt::claims;
use crate::support::slack::{CHALLENGE, RETURN_URL, Returned, VERIFIER, use_sandbox};
use crate::support::{
    Actor, Answer, Db, PASSWORD, SESSION_COOKIE, SlackApp, TestApp, member_body, on_both_databases,
};

const ADA: &str = "ada@acme.example";
const LOGIN: &str = "/api/auth/login";
const V1_LOGIN: &str = "/api/v1/login";
const COOKIE_LOGINS: [&str; 2] = [
    "/api/auth/callback/credentials",
    "/api/auth/signin/credentials",
];
const LOGINS: [&str; 4] = [LOGIN, V1_LOGIN, COOKIE_LOGINS[0], COOKIE_LOGINS[1]];

on_both_databases! {
    async fn every_sign_in_with_a_password_is_for_the_tenant_of_its_host(db: Db) {
        let (app, acme, bolt) = ada_of_two(db, |_| {}).await;
        for path in LOGINS {
            for (host, expected) in [
                ("acme.example.com", &acme),
                ("localhost", &acme),
                ("BOLT.example.com.:8080", &bolt),
                // The one used last.
                ("localhost", &bolt),
                ("127.0.0.1", &bolt),
                ("example.com", &bolt),
                ("a.acme.example.com", &bolt),
                ("acme.example.com.evil.example", &bolt),
            ] {
                let signed_in = signs_in(&app, path, host, ADA, &json!({})).await;
                assert_eq!(organization_of(path, &signed_in), *expected, "{path} {host}");
            }
        }
    }

    async fn a_tenant_without_the_user_is_refused_only_after_the_password(db: Db) {
        let (app, ..) = ada_of_two(db, |_| {}).await;
        app.registers("Crux", "eve@crux.example").await;
        for path in LOGINS {
            for (host, status, code) in [
                ("crux.example.com", 403, "forbidden"),
                ("nosuch.example.com", 404, "organization_not_found"),
            ] {
                signs_in(&app, path, host, ADA, &json!({})).await.refused_with(status, code);
                for (email, password) in [(ADA, "Not-The-Password-1"), ("unknown@acme.example", PASSWORD)] {
                    let wrong = signs_in(&app, path, host, email, &json!({"password": password})).await;
                    wrong.refused_with(401, "invalid_credentials");
                }
            }
        }
        let recorded = async |reason: &str| {
            let select = format!(
                "select count(*) from audit where action = 'session.login' and outcome = 'refused' \
                 and method = 'password' and reason = '{reason}'"
            );
            app.db.count(&select).await
        };
        assert_eq!([recorded("not_a_member").await, recorded("unknown_organization").await], [4, 4]);
        assert_eq!(app.db.count("select count(*) from sessions").await, 1);
    }

    async fn a_tenants_host_refuses_people_without_an_organization(db: Db) {
        let (app, acme, _) = ada_of_two(db, |_| {}).await;
        let bob = app.joins(&acme, "bob@acme.example").await;
        bob.leaves().await;
        for path in LOGINS {
            signs_in(&app, path, "acme.example.com", &bob.email, &json!({})).await.refused_with(403, "forbidden");
            let signed_in = signs_in(&app, path, "localhost", &bob.email, &json!({})).await;
            assert!(signed_in.status.is_success() || signed_in.status == 302, "{path}");
        }
    }

    async fn a_named_organization_outranks_the_host(db: Db) {
        let (app, acme, _) = ada_of_two(db, |_| {}).await;
        let crux = app.registers("Crux", "eve@crux.example").await;
        let unknown = "01939f2e-0000-7000-8000-000000000000";
        for path in LOGINS {
            let naming = |id: &str, slug: &str| match path {
                LOGIN => json!({"organizationId": id}),
                _ => json!({"tenant": slug}),
            };
            let named = async |id: &str, slug: &str| {
                signs_in(&app, path, "bolt.example.com", ADA, &naming(id, slug)).await
            };
            assert_eq!(organization_of(path, &named(&acme, "acme").await), acme, "{path}");
            named(&crux.id, "crux").await.refused_with(403, "forbidden");
            named(unknown, "nosuch").await.refused_with(404, "organization_not_found");
        }
    }

    async fn the_second_step_keeps_the_tenant_of_the_first(db: Db) {
        let (app, _, bolt) = ada_of_two(db, |_| {}).await;
        let authenticator = app.logs_in(ADA, PASSWORD).await.enrols(&app).await;
        let challenge = signs_in(&app, LOGIN, "bolt.example.com", ADA, &json!({})).await.expect(200);
        let token = challenge["mfaToken"].as_str().unwrap();
        let signed_in = app.shows_code(token, &authenticator.code(&app)).await.expect(200);
        assert_eq!(signed_in["user"]["organizationId"], bolt);
    }

    async fn a_refresh_keeps_the_organization_on_every_host(db: Db) {
        let (app, _, bolt) = ada_of_two(db, |_| {}).await;
        let signed_in = signs_in(&app, LOGIN, "bolt.example.com", ADA, &json!({})).await.expect(200);
        let token = signed_in["accessToken"].as_str().unwrap();
        for host in ["acme.example.com", "localhost", "nosuch.example.com"] {
            let refreshed = app.post("/api/auth/refresh").header("host", host).bearer(token).await;
            assert_eq!(refreshed.expect(200)["user"]["organizationId"], bolt, "{host}");
        }
    }

    async fn a_host_lets_nobody_register_without_naming_the_organization(db: Db) {
        let (app, acme, _) = ada_of_two(db, |_| {}).await;
        let register = async |body: &Value| {
            app.post("/api/auth/register").header("host", "bolt.example.com").json(body).await
        };
        let mut body = member_body(&acme, "bob@acme.example");
        let joined = register(&body).await.expect(201);
        assert_eq!(joined["user"]["organizationId"], acme);
        body["email"] = json!("eve@acme.example");
        body.as_object_mut().unwrap().remove("organizationId");
        register(&body).await.refused_fields(&["organizationId"]);
    }

    async fn the_services_own_hosts_are_no_tenants(db: Db) {
        let (app, acme, _) = ada_of_two(db, |config| {
            config.server.public_url = "http://auth.example.com".parse().unwrap();
            config.accounts.app_url = "http://app.example.com:3000/start".parse().unwrap();
        })
        .await;
        app.registers("Auth", "eve@auth.example").await;
        for host in ["auth.example.com", "AUTH.example.com:443", "app.example.com", "www.example.com"] {
            for path in LOGINS {
                let signed_in = signs_in(&app, path, host, ADA, &json!({})).await;
                assert_eq!(organization_of(path, &signed_in), acme, "{path} {host}");
            }
        }
    }

    async fn the_host_that_a_trusted_proxy_forwards_chooses_the_tenant(db: Db) {
        let (mut app, acme, bolt) = ada_of_two(db, |config| {
            config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        })
        .await;
        let organization = async |app: &TestApp, header: &str, value: &str| {
            let body = json!({"email": ADA, "password": PASSWORD});
            let call = app.post(LOGIN).header("host", "acme.example.com").header(header, value);
            call.json(&body).await.expect(200)["user"]["organizationId"].clone()
        };
        let forwarded = "for=198.51.100.7;host=bolt.example.com";
        assert_eq!(organization(&app, "x-forwarded-host", "bolt.example.com").await, bolt);
        assert_eq!(organization(&app, "x-forwarded-host", "acme.example.com, bolt.example.com").await, bolt);
        assert_eq!(organization(&app, "forwarded", forwarded).await, acme);
        app.restart_configured(|config| config.server.proxy_header = ProxyHeader::Forwarded).await;
        assert_eq!(organization(&app, "forwarded", forwarded).await, bolt);
        assert_eq!(organization(&app, "x-forwarded-host", "bolt.example.com").await, acme);
        app.restart_configured(|config| {
            config.server.proxy_header = ProxyHeader::XForwarded;
            config.server.trusted_proxies.clear();
        })
        .await;
        assert_eq!(organization(&app, "x-forwarded-host", "bolt.example.com").await, acme);
    }

    async fn the_sign_in_page_of_a_tenant_leads_to_that_tenant(db: Db) {
        let (app, _, bolt) = ada_of_two(db, |_| {}).await;
        let from = app.get("/api/auth/signin?callbackUrl=/there").header("host", "bolt.example.com").await;
        assert_eq!(from.status, 302);
        let page = "http://localhost/api/auth/signin?callbackUrl=http%3A%2F%2Flocalhost%2Fthere&tenant=bolt";
        assert_eq!(from.header("location"), Some(page));
        let named = app.get("/api/auth/signin?callbackUrl=/there&tenant=bolt").header("host", "acme.example.com").await;
        assert_eq!(named.header("location"), Some(page));
        let page = app.get("/api/auth/signin?tenant=bolt").await;
        assert!(page.text().contains(r#"<input type="hidden" name="tenant" value="bolt">"#), "{}", page.text());

        let form = async |tenant: &str, password: &str| {
            app.post("/api/auth/signin/credentials")
                .header("origin", "http://localhost")
                .form(&[("email", ADA), ("password", password), ("tenant", tenant)])
                .await
        };
        assert_eq!(organization_of(COOKIE_LOGINS[1], &form("bolt", PASSWORD).await), bolt);
        let again = form("bolt", "Not-The-Password-1").await;
        assert!(again.header("location").unwrap().ends_with("&tenant=bolt"), "{:?}", again.header("location"));
        let unknown = form("nosuch", PASSWORD).await;
        assert!(unknown.header("location").unwrap().contains("error=organization_not_found"));
    }

    async fn a_sign_in_with_slack_is_for_the_tenant_where_it_began(db: Db) {
        let app = slack(db).await;
        let bolt = app.registers("Bolt", "eve@bolt.example").await.id;
        let owner = app.signs_in("owner").await;
        let numbers = owner["organizationId"].as_str().unwrap().to_owned();
        let katherine = Actor {
            client: app.client.clone(),
            email: String::new(),
            password: String::new(),
            token: String::new(),
            user: owner,
        };
        let organization = async |host: &str, more: &str| {
            let returned = comes_back(&app, host, more, "owner").await;
            app.me(returned.token()).await["organizationId"].clone()
        };
        assert_eq!(organization("numbers-co.example.com", "").await, numbers);
        for host in ["bolt.example.com", "nosuch.example.com"] {
            comes_back(&app, host, "", "owner").await.failed_with("not_allowed");
        }
        katherine.also_belongs_to(&app, &bolt, "employee").await;
        assert_eq!(organization("bolt.example.com", "").await, bolt);
        assert_eq!(organization("bolt.example.com", "&team=T0NUMBERS").await, bolt);
        assert_eq!(organization("numbers-co.example.com", "&tenant=bolt").await, bolt);
        // Elsewhere the workspace names the organization, whichever was used last.
        assert_eq!(organization("localhost", "").await, numbers);
    }

    async fn codes_and_buttons_of_slack_keep_the_tenant(db: Db) {
        let app = slack(db).await;
        let bolt = app.registers("Bolt", "eve@bolt.example").await.id;
        let eve = app.logs_in("eve@bolt.example", PASSWORD).await;
        let katherine = Actor { user: app.signs_in("owner").await, ..eve };
        katherine.also_belongs_to(&app, &bolt, "employee").await;

        let more = format!("&codeChallenge={CHALLENGE}");
        let returned = comes_back(&app, "bolt.example.com", &more, "owner").await;
        let body = json!({"code": returned.query["code"], "codeVerifier": VERIFIER});
        let redeemed = app.post("/api/auth/slack/token").json(&body).await.expect(200);
        assert_eq!(redeemed["user"]["organizationId"], bolt);

        let start = format!("/api/auth/slack/start?returnUrl={RETURN_URL}");
        let started = app.get(&start).header("host", "bolt.example.com").await;
        let authorization: Url = started.header("location").unwrap().parse().unwrap();
        let callback = app.consents(&authorization, "owner").await;
        let here = app.get(&callback).header("cookie", started.cookie()).await;
        let returned = Returned::of(here);
        assert_eq!(app.me(returned.token()).await["organizationId"], bolt);
        // The page behind a used state starts again for the same tenant.
        let used = app.get(&callback).header("cookie", started.cookie()).await;
        assert!(used.text().contains("tenant=bolt"), "{}", used.text());
    }

    async fn a_newcomer_from_slack_to_another_tenant_leaves_nothing_behind(db: Db) {
        let app = slack(db).await;
        app.registers("Bolt", "eve@bolt.example").await;
        comes_back(&app, "bolt.example.com", "", "owner").await.failed_with("not_allowed");
        for (table, rows) in [("users", 1), ("organizations", 1), ("identities", 0), ("workspaces", 0)] {
            assert_eq!(app.db.count(&format!("select count(*) from {table}")).await, rows, "{table}");
        }
        let refused = "select count(*) from audit where action = 'session.login' and reason = 'not_allowed'";
        assert_eq!(app.db.count(refused).await, 1);
    }

    async fn next_auths_way_to_slack_names_the_tenant(db: Db) {
        let app = TestApp::with_slack(db, |config| {
            use_sandbox(config).token_delivery = TokenDelivery::Cookie;
            config.accounts.tenant_domain = Some("example.com".to_owned());
        })
        .await;
        let body = json!({"callbackUrl": RETURN_URL, "json": true});
        let signin = app.post("/api/auth/signin/slack").header("host", "bolt.example.com");
        let next = signin.json(&body).await.expect(200);
        assert!(next["url"].as_str().unwrap().ends_with("&tenant=bolt"), "{next}");
    }
}

/// Ada, who joined Acme first and has never acted in Bolt; and the ids of both.
async fn ada_of_two(db: Db, change: impl FnOnce(&mut Config)) -> (TestApp, String, String) {
    let app = TestApp::configured(db, |config| {
        config.accounts.tenant_domain = Some("example.com".to_owned());
        change(config);
    })
    .await;
    let ada = app.signs_up("Acme", ADA).await;
    let bolt = app.registers("Bolt", "bob@bolt.example").await.id;
    ada.also_belongs_to(&app, &bolt, "employee").await;
    let acme = ada.organization_id().to_owned();
    (app, acme, bolt)
}

async fn slack(db: Db) -> SlackApp {
    let app = TestApp::with_slack(db, |config| {
        use_sandbox(config);
        config.accounts.tenant_domain = Some("example.com".to_owned());
    });
    SlackApp(app.await)
}

/// Signs in with a password; `more` has other fields, and replaces the password.
async fn signs_in(app: &TestApp, path: &str, host: &str, email: &str, more: &Value) -> Answer {
    let name = if path == V1_LOGIN { "name" } else { "email" };
    let mut body = json!({name: email, "password": PASSWORD});
    for (field, value) in more.as_object().unwrap() {
        body[field] = value.clone();
    }
    app.post(path).header("host", host).json(&body).await
}

/// The organization that a sign-in speaks for.
fn organization_of(path: &str, signed_in: &Answer) -> String {
    let id = if COOKIE_LOGINS.contains(&path) {
        assert_eq!(signed_in.status, 302, "{}", signed_in.text());
        let mut cookies = signed_in.set_cookies().into_iter();
        let (_, token) = cookies.find(|(name, _)| name == SESSION_COOKIE).unwrap();
        claims(&token)["orgId"].clone()
    } else {
        signed_in.expect(200)["user"]["organizationId"].clone()
    };
    id.as_str().unwrap().to_owned()
}

/// A sign-in with Slack that begins at a host, and ends where Slack redirects to.
async fn comes_back(app: &SlackApp, host: &str, more: &str, persona: &str) -> Returned {
    let path = format!("/api/auth/slack/url?returnUrl={RETURN_URL}{more}");
    let begun = app.get(&path).header("host", host).await.expect(200);
    let authorization: Url = begun["url"].as_str().unwrap().parse().unwrap();
    let callback = app.consents(&authorization, persona).await;
    app.follows(&callback).await
}
