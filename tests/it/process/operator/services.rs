//! Other services and their keys.

use super::{done, refused, rows};
use crate::process::Server;
use crate::support::{Db, on_both_databases};

on_both_databases! {
    async fn a_service_has_a_key_and_a_second_one_while_it_changes_it(db: Db) {
        let _server = Server::with_acme(&db).await;
        let add = || done(&db, &["service", "add", "Billing"])["key"].as_str().unwrap().to_owned();
        let (first, second) = (add(), add());
        assert!(first.starts_with("hps_") && first.len() == 53 && first != second, "{first} {second}");
        refused(&db, &["service", "add", "billing"], 65, &["two keys already", "service remove billing --key"]);

        let listed = done(&db, &["service", "list"]);
        let keys = listed[0]["keys"].as_array().unwrap();
        assert_eq!(listed[0]["name"], "billing");
        assert_eq!([&keys[0]["prefix"], &keys[1]["prefix"]], [&first[..12], &second[..12]]);
        // Nothing but hashes is kept.
        let kept = format!("select count(*) from service_keys where hash like '%{}%'", &first[4..20]);
        assert_eq!(db.count(&kept).await, 0);

        refused(&db, &["service", "remove", "billing", "--key", "hps_unknown"], 65, &["no key that begins"]);
        done(&db, &["service", "remove", "billing", "--key", &first[..12]]);
        let third = add();
        let listed = done(&db, &["service", "list"]);
        let prefixes = [&listed[0]["keys"][0]["prefix"], &listed[0]["keys"][1]["prefix"]];
        assert_eq!(prefixes, [&second[..12], &third[..12]]);

        done(&db, &["service", "remove", "billing"]);
        assert_eq!(db.count("select count(*) from service_keys").await, 0);
        assert_eq!(done(&db, &["service", "list"]), serde_json::json!([]));
        refused(&db, &["service", "remove", "billing"], 65, &["no service is called billing"]);
        for (action, count) in [("service.key_added", 3), ("service.key_removed", 1), ("service.removed", 1)] {
            assert_eq!(rows(&db, action).await, count, "{action}");
        }
    }

    async fn a_name_that_could_not_be_a_user_name_is_refused(db: Db) {
        let _server = Server::with_acme(&db).await;
        for name in ["a:b", "a b", ""] {
            refused(&db, &["service", "add", name], 65, &["name: "]);
        }
    }
}
