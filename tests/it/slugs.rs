//! Slugs: suggested by the name, changed by admins, and kept as aliases.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Actor, Answer, Db, PASSWORD, TestApp, on_both_databases};

const ADA: &str = "ada@acme.example";

async fn changes_slug(who: &Actor, slug: &str) -> Answer {
    let path = who.organization_path("");
    who.patch(&path).json(&json!({"slug": slug})).await
}

/// The slug of the organization that the actor signs in to by this one.
async fn tenant(app: &TestApp, who: &Actor, slug: &str) -> Answer {
    let login =
        json!({"name": who.email, "password": PASSWORD, "returnToken": true, "tenant": slug});
    app.post("/api/v1/login").json(&login).await
}

#[track_caller]
fn is_taken(answer: &Answer) {
    answer.refused(409, "Slug already taken");
    assert_eq!(answer.header("x-error-code"), Some("slug_taken"));
}

on_both_databases! {
    async fn a_name_in_another_alphabet_gets_a_readable_slug(app: TestApp) {
        for (n, (name, slug)) in [
            ("Ελληνική", "elliniki"),
            ("Рога и копыта", "roga-i-kopyta"),
            ("Рога и копыта", "roga-i-kopyta-2"),
            ("株式会社サンプル", "organization"),
            ("عربي", "organization-2"),
            ("Admin", "admin-2"),
        ]
        .into_iter()
        .enumerate()
        {
            let email = format!("ada{n}@acme.example");
            assert_eq!(app.registers(name, &email).await.slug, slug, "{name}");
        }
    }

    async fn an_admin_changes_the_slug_and_the_former_one_goes_on_working(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let path = ada.organization_path("");
        let change = ada.patch(&path).header("x-request-id", "renames").json(&json!({"slug": " Acme-Works "}));
        let changed = change.await.expect(200);
        assert_eq!((&changed["slug"], &changed["name"]), (&json!("acme-works"), &json!("Acme")));
        assert_eq!(ada.get(&path).await.expect(200), changed);
        for slug in ["acme", "acme-works"] {
            assert_eq!(tenant(&app, &ada, slug).await.expect(200)["tenant"], "acme-works");
        }
        let audited = app.db.values(
            "select detail as v from audit where request_id = 'renames' and action = 'organization.updated'"
        ).await;
        let detail: Value = serde_json::from_str(audited[0].as_deref().unwrap()).unwrap();
        assert_eq!(detail["slug"], json!(["acme", "acme-works"]));
        // The same again changes nothing.
        assert_eq!(changes_slug(&ada, "acme-works").await.expect(200), changed);
        assert_eq!(app.db.count("select count(*) from slug_aliases").await, 1);
        assert_eq!(app.db.count("select count(*) from audit where action = 'organization.updated'").await, 1);
    }

    async fn only_an_admin_changes_the_slug(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        changes_slug(&bob, "bobs").await.refused(403, "Forbidden");
        let path = ada.organization_path("");
        eve.patch(&path).json(&json!({"slug": "evil-too"})).await.refused(404, "Organization not found");
        assert_eq!(ada.get(&path).await.expect(200)["slug"], "acme");
    }

    async fn no_organization_gets_the_slug_or_former_slug_of_another(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        is_taken(&changes_slug(&eve, "acme").await);
        changes_slug(&ada, "works").await.expect(200);
        is_taken(&changes_slug(&eve, "acme").await);
        is_taken(&changes_slug(&eve, "works").await);
        assert_eq!(app.registers("Acme", "bob@bolt.example").await.slug, "acme-2");
        assert_eq!(eve.get(&eve.organization_path("")).await.expect(200)["slug"], "evil");
        assert_eq!(app.db.count("select count(*) from slug_aliases").await, 1);
    }

    async fn an_organization_takes_back_its_own_former_slug(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        for slug in ["works", "acme", "works", "acme"] {
            assert_eq!(changes_slug(&ada, slug).await.expect(200)["slug"], slug);
            assert_eq!(app.db.count("select count(*) from slug_aliases").await, 1);
            for known in ["acme", "works"] {
                assert_eq!(tenant(&app, &ada, known).await.expect(200)["tenant"], slug);
            }
        }
    }

    async fn an_organization_has_at_most_twenty_former_slugs(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        for n in 1..=20 {
            changes_slug(&ada, &format!("acme-{n}")).await.expect(200);
        }
        let refused = changes_slug(&ada, "acme-21").await;
        refused.refused(409, "Too many former slugs");
        assert_eq!(refused.header("x-error-code"), Some("too_many_slugs"));
        assert_eq!(changes_slug(&ada, "acme").await.expect(200)["slug"], "acme");
        assert_eq!(app.db.count("select count(*) from slug_aliases").await, 20);
    }

    async fn reserved_words_and_malformed_slugs_are_refused(db: Db) {
        let app = TestApp::configured(db, |config| {
            config.accounts.tenant_domain = Some("example.com".to_owned());
            config.accounts.app_url = "https://shop.example.com/".parse().unwrap();
            config.server.cors_allowed_origins = vec!["https://intranet.example.com".to_owned()];
        })
        .await;
        let ada = app.signs_up("Acme", ADA).await;
        for (slug, code) in [
            ("admin", "reserved"),
            ("WWW", "reserved"),
            ("shop", "reserved"),
            ("intranet", "reserved"),
            ("", "invalid_slug"),
            ("a b", "invalid_slug"),
            ("xn--acme", "invalid_slug"),
            (ada.organization_id(), "invalid_slug"),
        ] {
            let refused = changes_slug(&ada, slug).await;
            refused.refused_fields(&["slug"]);
            assert_eq!(refused.json()["details"][0]["code"], code, "{slug}");
        }
        assert_eq!(app.registers("Shop", "eve@evil.example").await.slug, "shop-2");
        assert_eq!(ada.get(&ada.organization_path("")).await.expect(200)["slug"], "acme");
    }

    async fn of_twenty_who_want_one_slug_at_once_one_gets_it(app: TestApp) {
        let mut admins = Vec::new();
        for n in 0..20 {
            admins.push(app.signs_up("Acme", &format!("ada{n}@acme.example")).await);
        }
        let answers = join_all(admins.iter().map(|admin| changes_slug(admin, "wanted"))).await;
        let (given, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!(given.len(), 1);
        for answer in refused {
            is_taken(answer);
        }
    }

    async fn a_slug_on_the_move_never_leads_to_two_organizations(app: TestApp) {
        let mut admins = Vec::new();
        for n in 0..4 {
            admins.push(app.signs_up("Acme", &format!("ada{n}@acme.example")).await);
        }
        for round in 0..5 {
            let moves = admins.iter().enumerate().map(async |(n, admin)| {
                changes_slug(admin, &format!("round-{round}")).await;
                changes_slug(admin, &format!("round-{round}-{n}")).await;
            });
            join_all(moves).await;
        }
        let both = "select slug as v from organizations union all select slug from slug_aliases";
        let slugs = app.db.values(both).await;
        let distinct: HashSet<_> = slugs.iter().collect();
        assert_eq!(distinct.len(), slugs.len(), "{slugs:?}");
    }

    async fn a_host_with_a_former_slug_names_the_organization(db: Db) {
        let app = TestApp::configured(db, |config| {
            config.accounts.tenant_domain = Some("example.com".to_owned());
        })
        .await;
        let ada = app.signs_up("Acme", ADA).await;
        changes_slug(&ada, "works").await.expect(200);
        for host in ["acme.example.com", "works.example.com"] {
            let login = app.post("/api/v1/login").header("host", host);
            let session = login.json(&json!({"name": ADA, "password": PASSWORD})).await.expect(200);
            assert_eq!(session["tenant"], "works");
        }
    }
}
