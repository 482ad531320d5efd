//! Sign-in with passwords that other systems have stored, and what becomes of them.

use std::collections::BTreeSet;
use std::fs;

use hallpass::app::App;
use hallpass::domain::Email;
use hallpass::service::{self, Login, Wanted};
use serde_json::{Value, json};
use stored_passwords::{Bcrypt, ImportedHash, Kdf, Step};
use zeroize::Zeroizing;

use crate::support::test_app::operator_context;
use crate::support::{Browser, Db, PASSWORD, TestApp, on_both_databases};

const EMAIL: &str = "ada@acme.example";

on_both_databases! {
    async fn passwords_of_other_systems_sign_in_and_are_hashed_again(db: Db) {
        let app = with_peppers(db).await;
        for (n, vector) in one_of_each_form().iter().enumerate() {
            let email = format!("ada{n}@acme.example");
            app.registers("Acme", &email).await;
            let text = vector["text"].as_str().unwrap();
            let password = vector["password"].as_str().unwrap();
            store(&app, &email, text).await;
            let wrong = format!("!{}", password.chars().skip(1).collect::<String>());
            app.tries_to_log_in(&email, &wrong).await.refused(401, "Invalid credentials");
            assert_eq!(stored(&app, &email).await, text);
            app.tries_to_log_in(&email, password).await.expect(200);
            let ours = until_hashed_again(&app, &email).await;
            assert!(is_ours(&ours), "{text} became {ours}");
            // In every spelling that is the same in NFKC, and no other.
            app.tries_to_log_in(&email, password).await.expect(200);
            app.tries_to_log_in(&email, &wrong).await.refused(401, "Invalid credentials");
        }
    }

    async fn whatever_the_old_system_accepted_is_accepted_once(app: TestApp) {
        let typed = [
            "Caf\u{e9}-Lagoon-\u{1f511}".to_owned(),
            "Cafe\u{301}-Lagoon-42".to_owned(),
            "\u{fb01}nance \u{2116} 5".to_owned(),
            "  spaces around  ".to_owned(),
            "y".repeat(71),
            "y".repeat(72),
            "y".repeat(73),
            "y".repeat(90),
            "y".repeat(100),
            "y".repeat(101),
            "y".repeat(128),
            "y".repeat(1024),
            "\u{e9}".repeat(512),
        ];
        // As importers write it, and as people have copied it into the table.
        for (form, begin) in ["$in$raw,cut72$2b$", "$2b$", "$2y$", "$2a$"].into_iter().enumerate() {
            for (n, typed) in typed.iter().enumerate() {
                let email = format!("ada{form}-{n}@acme.example");
                app.registers("Acme", &email).await;
                let text = bcrypt_of(typed).replacen("$in$raw,cut72$2b$", begin, 1);
                store(&app, &email, &text).await;
                app.tries_to_log_in(&email, "not the password").await.refused(401, "Invalid credentials");
                app.tries_to_log_in(&email, typed).await.expect(200);
                let is_kept = text.starts_with("$2b$04$") && typed.len() <= 71 && n != 1 && n != 2;
                if !is_kept {
                    let ours = until_hashed_again(&app, &email).await;
                    assert!(is_ours(&ours), "{text} became {ours}");
                }
                app.tries_to_log_in(&email, typed).await.expect(200);
            }
        }
    }

    async fn what_bcrypt_has_cut_counts_from_the_first_sign_in_on(app: TestApp) {
        app.registers("Acme", EMAIL).await;
        let typed = format!("{}-and-the-end", "y".repeat(80));
        store(&app, EMAIL, &bcrypt_of(&typed)).await;
        app.tries_to_log_in(EMAIL, &typed).await.expect(200);
        until_hashed_again(&app, EMAIL).await;
        app.tries_to_log_in(EMAIL, &typed[..72]).await.refused(401, "Invalid credentials");
        app.tries_to_log_in(EMAIL, &typed[..91]).await.refused(401, "Invalid credentials");
        app.tries_to_log_in(EMAIL, &typed).await.expect(200);
    }

    async fn a_thousand_bytes_can_be_typed_wherever_a_password_is_proven(app: TestApp) {
        let ada = app.signs_up("Acme", EMAIL).await;
        let long = "y".repeat(1024);
        let too_long = "y".repeat(1025);
        let answer = app.tries_to_log_in(EMAIL, &too_long).await;
        answer.refused_fields(&["password"]);
        assert_eq!(answer.json()["details"][0]["code"], "too_long");
        store(&app, EMAIL, &bcrypt_of(&long)).await;
        app.post("/api/v1/login").json(&json!({"name": EMAIL, "password": long})).await.expect(200);
        Browser::new(&app).signs_in(EMAIL, &long).await.expect(200);
        ada.changes_password(&too_long, PASSWORD).await.refused_fields(&["currentPassword"]);
        ada.changes_password(&long, &"y".repeat(101)).await.refused_fields(&["newPassword"]);
        ada.reauthenticates(&json!({"password": long})).await.expect(200);
        ada.changes_password(&long, "another horse battery staple").await.expect(200);
        app.tries_to_log_in(EMAIL, "another horse battery staple").await.expect(200);
        app.tries_to_log_in(EMAIL, &long).await.refused(401, "Invalid credentials");
    }

    async fn several_devices_at_once_all_sign_in(app: TestApp) {
        app.registers("Acme", EMAIL).await;
        store(&app, EMAIL, &bcrypt_of("cafe\u{301} horse battery")).await;
        let devices = (0..5).map(|_| app.tries_to_log_in(EMAIL, "cafe\u{301} horse battery"));
        for answer in futures_util::future::join_all(devices).await {
            answer.expect(200);
        }
        assert!(is_ours(&until_hashed_again(&app, EMAIL).await));
        app.tries_to_log_in(EMAIL, "caf\u{e9} horse battery").await.expect(200);
    }

    async fn a_new_password_is_never_replaced_by_an_old_one(app: TestApp) {
        let ada = app.signs_up("Acme", EMAIL).await;
        for n in 0..8 {
            let (old, new) = (format!("old horse battery {n}"), format!("new horse battery {n}"));
            store(&app, EMAIL, &bcrypt_of(&old)).await;
            let begun = app.tries_to_log_in(EMAIL, &old);
            let (begun, changed) = tokio::join!(begun, ada.changes_password(&old, &new));
            assert!(begun.status == 200 || begun.status == 401, "{}", begun.text());
            changed.expect(200);
            app.tries_to_log_in(EMAIL, &new).await.expect(200);
            app.tries_to_log_in(EMAIL, &old).await.refused(401, "Invalid credentials");
        }
        assert_eq!(app.db.count("select max(password_changes) from users").await, 8);
    }

    async fn weak_hashes_are_put_into_bcrypt_and_stay_right(db: Db) {
        let app = with_peppers(db).await;
        let weak: Vec<Value> = one_of_each_form()
            .into_iter()
            .filter(|vector| ImportedHash::parse(vector["text"].as_str().unwrap()).unwrap().is_weak())
            .collect();
        assert!(weak.len() >= 6, "{}", weak.len());
        for (n, vector) in weak.iter().enumerate() {
            let email = format!("ada{n}@acme.example");
            app.registers("Acme", &email).await;
            store(&app, &email, vector["text"].as_str().unwrap()).await;
        }
        app.registers("Acme", EMAIL).await;
        let own = stored(&app, EMAIL).await;
        // Two instances at once: each is wrapped once.
        let (one, other) = (app.operator_app().await, app.operator_app().await);
        let (one, other) =
            tokio::join!(service::wrap_weak(one.services()), service::wrap_weak(other.services()));
        assert!(one.is_ok() && other.is_ok());
        for (n, vector) in weak.iter().enumerate() {
            let email = format!("ada{n}@acme.example");
            let password = vector["password"].as_str().unwrap();
            let wrapped = stored(&app, &email).await;
            assert!(wrapped.contains("$wrapped$2b$04$"), "{wrapped}");
            let digest = vector["text"].as_str().unwrap().rsplit('$').next().unwrap();
            assert!(!wrapped.contains(digest), "{wrapped}");
            app.tries_to_log_in(&email, "not the password").await.refused(401, "Invalid credentials");
            app.tries_to_log_in(&email, password).await.expect(200);
            assert!(is_ours(&until_hashed_again(&app, &email).await));
            app.tries_to_log_in(&email, password).await.expect(200);
        }
        assert_eq!(stored(&app, EMAIL).await, own);
    }

    async fn a_sign_in_meanwhile_wins_over_wrapping_and_wrapping_costs_it_nothing(app: TestApp) {
        app.registers("Acme", EMAIL).await;
        let (wrapper, password) = (app.operator_app().await, "correct horse battery staple");
        for _ in 0..8 {
            store(&app, EMAIL, &sha1_of(password)).await;
            let signs_in = app.tries_to_log_in(EMAIL, password);
            let (answer, wrapped) = tokio::join!(signs_in, service::wrap_weak(wrapper.services()));
            answer.expect(200);
            assert!(wrapped.is_ok());
            assert!(is_ours(&until_hashed_again(&app, EMAIL).await));
            app.tries_to_log_in(EMAIL, password).await.expect(200);
        }
    }

    async fn stored_texts_above_the_limits_or_without_their_pepper_are_refused(app: TestApp) {
        for (n, text) in [
            "$in$raw$argon2id$v=19,m=4194304,t=3,p=4$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
            "$in$raw$pbkdf2-sha256$i=4294967295$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
            "$in$raw$yescrypt$ln=31,r=32,p=1,t=0$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
            "$in$raw,cut72$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$in$raw,pepper:gone$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$in$raw$plain$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA",
        ]
        .into_iter()
        .enumerate()
        {
            let email = format!("ada{n}@acme.example");
            app.registers("Acme", &email).await;
            store(&app, &email, text).await;
            app.tries_to_log_in(&email, PASSWORD).await.refused(401, "Invalid credentials");
            assert_eq!(stored(&app, &email).await, text);
            // Its owner is not locked out.
            app.forgets_password(&email).await;
            let token = app.mailed_token(&email, "reset_password").await;
            app.resets_password(&token, "another horse battery staple").await.expect(200);
            app.tries_to_log_in(&email, "another horse battery staple").await.expect(200);
        }
        let peppers = &app.config.passwords.peppers;
        let unusable = App::inspect(&app.config.database, None, peppers).await;
        assert_eq!(unusable.unwrap().unwrap().unusable_passwords, 0);
        self::store(&app, "ada0@acme.example", "plain text").await;
        let unusable = App::inspect(&app.config.database, None, peppers).await;
        assert_eq!(unusable.unwrap().unwrap().unusable_passwords, 1);
    }

    async fn unknown_addresses_are_compared_with_what_is_stored(app: TestApp) {
        app.registers("Acme", EMAIL).await;
        let dear = "$in$raw$pbkdf2-sha256$i=40000$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        store(&app, EMAIL, dear).await;
        let instance = app.operator_app().await;
        assert!(service::count_forms(instance.services()).await.is_ok());
        let context = operator_context();
        let mut computed = BTreeSet::new();
        for n in 0..10 {
            let before = service::hashing_load(instance.services()).0.computed;
            let login = Login {
                email: Email::parse(&format!("nobody{n}@acme.example")).unwrap(),
                password: PASSWORD,
                wanted: Wanted::Usual,
            };
            assert!(service::login(instance.services(), &context, login).await.is_err());
            computed.insert(service::hashing_load(instance.services()).0.computed - before);
        }
        // The only account has it, so everybody gets it.
        assert_eq!(computed.len(), 1);
        assert!(computed.iter().all(|work| *work > 100), "{computed:?}");
    }
}

/// One vector for each sequence of steps and each function.
fn one_of_each_form() -> Vec<Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/crates/stored-passwords/tests/vectors/canonical.json"
    );
    let vectors: Vec<Value> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut seen = BTreeSet::new();
    vectors
        .into_iter()
        .filter(|vector| {
            let fields: Vec<&str> = vector["text"].as_str().unwrap().split('$').collect();
            // Each with text that is not ASCII.
            !vector["password"].as_str().unwrap().is_ascii()
                && seen.insert((fields[2].to_owned(), fields[3].to_owned()))
        })
        .collect()
}

/// With the secrets that the vectors were made with.
async fn with_peppers(db: Db) -> TestApp {
    let peppers = [
        ("devise", "0f0f".repeat(32)),
        ("flask", "synthetic-salt-of-the-old-app".to_owned()),
    ];
    TestApp::configured(db, |config| {
        config.passwords.peppers = peppers
            .into_iter()
            .map(|(name, secret)| (name.parse().unwrap(), Zeroizing::new(secret.into_bytes())))
            .collect();
    })
    .await
}

/// As another system hashes what it receives.
fn bcrypt_of(typed: &str) -> String {
    let (cost, salt) = (4, [7; 16]);
    let input = bcrypt_lanes::Input::new(typed.as_bytes(), salt, cost).unwrap();
    let output = bcrypt_lanes::bcrypt(&input).checksum().to_vec();
    let kdf = Kdf::Bcrypt(Bcrypt { cost, salt });
    ImportedHash::new(vec![Step::Cut72], kdf, output)
        .unwrap()
        .to_string()
}

fn sha1_of(password: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    let digest = data_encoding::BASE64_NOPAD.encode(digest.as_ref());
    format!("$in$raw$sha1$i=1,of=password$${digest}")
}

fn is_ours(text: &str) -> bool {
    text.starts_with("$2b$04$") || text.starts_with("$bcrypt-sha256$v=2,t=2b,r=4$")
}

async fn store(app: &TestApp, email: &str, text: &str) {
    let sql = format!("update users set password_hash = '{text}' where email = '{email}'");
    app.db.execute(&sql).await;
}

async fn stored(app: &TestApp, email: &str) -> String {
    let sql = format!("select password_hash as v from users where email = '{email}'");
    app.db.values(&sql).await[0].clone().unwrap()
}

/// The text that replaces what another system has stored; it does so after the answer.
async fn until_hashed_again(app: &TestApp, email: &str) -> String {
    let salt = bcrypt_of("")[20..42].to_owned();
    loop {
        let text = stored(app, email).await;
        if is_ours(&text) && !text.contains(&salt) {
            return text;
        }
        actix_web::rt::task::yield_now().await;
    }
}

#[test]
fn the_forms_of_the_vectors_are_many() {
    let count = one_of_each_form().len();
    assert!(count >= 25, "{count}");
}
