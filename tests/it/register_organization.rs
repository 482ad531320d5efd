//! Registration that creates an organization.

use std::collections::HashSet;

use futures_util::future::join_all;
use hallpass::domain::EmailMessage;
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp, on_both_databases, organization_body};

on_both_databases! {
    async fn registering_an_organization_answers_the_user_and_the_organization(app: TestApp) {
        let answer = app
            .post("/api/auth/register")
            .json(&organization_body("Crème Brûlée", "Ada@Acme.Example"))
            .await
            .expect(201);
        let (user, organization) = (&answer["user"], &answer["organization"]);
        assert_eq!(
            answer,
            json!({
                "success": true,
                "message": "Account created successfully. Please check your email to verify your account.",
                "user": {
                    "id": user["id"],
                    "email": "ada@acme.example",
                    "firstName": "Ada",
                    "lastName": "Byron",
                },
                "organization": {
                    "id": organization["id"],
                    "name": "Crème Brûlée",
                    "slug": "creme-brulee",
                },
            })
        );
        for id in [&user["id"], &organization["id"]] {
            let id = uuid::Uuid::parse_str(id.as_str().unwrap()).unwrap();
            assert_eq!(id.get_version_num(), 7);
        }
    }

    async fn the_person_who_registers_an_organization_is_its_admin(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        assert_eq!(ada.user["role"], "admin");
        assert_eq!(ada.me().await.expect(200)["role"], "admin");
    }

    async fn a_duplicate_address_is_refused_and_leaves_nothing(app: TestApp) {
        app.registers("Acme", "ada@acme.example").await;
        let again = app
            .post("/api/auth/register")
            .json(&organization_body("Beta", "ADA@acme.example"))
            .await;
        again.refused(409, "Email already registered");
        assert_eq!(again.json()["error"], "Conflict");
        assert_eq!(app.db.count("select count(*) from organizations").await, 1);
        assert_eq!(app.db.count("select count(*) from memberships").await, 1);
    }

    async fn twenty_organizations_of_one_name_at_once_get_distinct_slugs(app: TestApp) {
        let registrations = (0..20).map(|n| {
            let email = format!("admin{n}@acme.example");
            let app = &app;
            async move { app.registers("Acme, Inc.", &email).await.slug }
        });
        let slugs: HashSet<String> = join_all(registrations).await.into_iter().collect();
        assert_eq!(slugs.len(), 20);
        assert!(slugs.contains("acme-inc"));
        assert!(slugs.iter().all(|slug| slug.starts_with("acme-inc")));
    }

    async fn registration_refuses_unknown_fields(app: TestApp) {
        for (field, value) in [
            ("role", json!("admin")),
            ("isAdmin", json!(true)),
            ("emailVerified", json!(true)),
            ("id", json!("01939f2e-0000-7000-8000-000000000000")),
        ] {
            let mut body = organization_body("Acme", "ada@acme.example");
            body[field] = value;
            app.post("/api/auth/register").json(&body).await.refused_fields(&[field]);
        }
        assert_eq!(app.db.count("select count(*) from users").await, 0);
        app.registers("Acme", "ada@acme.example").await;
    }

    async fn every_invalid_field_is_named(app: TestApp) {
        app.post("/api/auth/register")
            .json(&json!({
                "organizationName": "A",
                "firstName": 7,
                "lastName": "x".repeat(101),
                "email": "ada@acme",
                "password": 7,
            }))
            .await
            .refused_fields(&["organizationName", "firstName", "lastName", "email", "password"]);
    }

    async fn one_name_is_enough(app: TestApp) {
        for (n, (names, name, first, last)) in [
            (json!({"firstName": "Sukarno"}), "Sukarno", "Sukarno", ""),
            (json!({"firstName": "Sukarno", "lastName": " "}), "Sukarno", "Sukarno", ""),
            (json!({"firstName": null, "lastName": "Sukarno"}), "Sukarno", "", "Sukarno"),
            (json!({"name": "山田 太郎"}), "山田 太郎", "山田 太郎", ""),
            (json!({"name": "Sukarno", "firstName": "", "lastName": null}), "Sukarno", "Sukarno", ""),
        ].into_iter().enumerate() {
            let email = format!("founder{n}@acme.example");
            let founded = app.post("/api/auth/register").json(&with_names(&email, &names)).await.expect(201);
            let user = json!({"id": founded["user"]["id"], "email": email, "firstName": first, "lastName": last});
            assert_eq!(founded["user"], user);
            assert_eq!(app.logs_in(&email, PASSWORD).await.user["name"], name);
        }
    }

    async fn no_name_and_two_kinds_of_names_are_refused(app: TestApp) {
        for (names, field) in [
            (json!({}), "firstName"),
            (json!({"firstName": "", "lastName": "\u{200b}", "name": " "}), "firstName"),
            (json!({"firstName": "Ada", "name": "Ada Byron"}), "name"),
            (json!({"name": "x".repeat(202)}), "name"),
        ] {
            let body = with_names("ada@acme.example", &names);
            app.post("/api/auth/register").json(&body).await.refused_fields(&[field]);
        }
    }

    async fn names_may_be_as_long_as_their_limits(app: TestApp) {
        let mut body = organization_body(&"o".repeat(255), "ada@acme.example");
        body["firstName"] = json!("f".repeat(100));
        body["lastName"] = json!("é".repeat(100));
        app.post("/api/auth/register").json(&body).await.expect(201);
        body["email"] = json!("bob@acme.example");
        body["organizationName"] = json!("o".repeat(256));
        app.post("/api/auth/register").json(&body).await.refused_fields(&["organizationName"]);
    }

    async fn a_nul_in_any_text_is_an_error_of_that_field(app: TestApp) {
        for field in ["organizationName", "firstName", "lastName", "email", "password"] {
            let mut body = organization_body("Acme", "ada@acme.example");
            body[field] = json!(format!("a\0{}", body[field].as_str().unwrap()));
            app.post("/api/auth/register").json(&body).await.refused_fields(&[field]);
        }
    }

    async fn a_body_that_neither_creates_nor_joins_an_organization_is_refused(app: TestApp) {
        let body = json!({"email": "ada@acme.example", "password": PASSWORD});
        let answer = app.post("/api/auth/register").json(&body).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert_eq!(answer.json()["message"], "Validation failed");
    }

    async fn a_new_admin_gets_an_email_to_verify_the_address(app: TestApp) {
        app.registers("Acme", "ada@acme.example").await;
        let emails = app.emails_to("ada@acme.example").await;
        let [EmailMessage::VerifyEmail { name, token }] = emails.as_slice() else {
            panic!("{emails:?}")
        };
        assert_eq!(name, "Ada Byron");
        assert_eq!(*token, app.mailed_token("ada@acme.example", "verify_email").await);
        app.post("/api/auth/register")
            .json(&organization_body("Other", "ada@acme.example"))
            .await
            .refused(409, "Email already registered");
        assert_eq!(app.emails_to("ada@acme.example").await.len(), 1);
    }
}

fn with_names(email: &str, names: &Value) -> Value {
    let mut body = organization_body("Acme", email);
    let fields = body.as_object_mut().unwrap();
    fields.retain(|field, _| field != "firstName" && field != "lastName");
    fields.extend(names.as_object().unwrap().clone());
    body
}
