//! PostgreSQL by its Unix socket, as libpq writes it.

use std::fs;

use crate::support::cluster::Cluster;
use crate::support::{Db, TestApp, eventually};

#[actix_web::test]
async fn postgres_is_reached_by_its_socket_with_and_without_a_password() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let admin = Db::Postgres {
        url: cluster.url("postgres"),
    };
    admin
        .execute("create role ada login superuser password 'p@ss +&=:/ 1'")
        .await;
    admin.execute("create role bob login superuser").await;
    let db = Db::create_on(&cluster, "").await.unwrap();
    let name = db.url().rsplit('/').next().unwrap().to_owned();
    let lines =
        "local all bob trust\nlocal all all scram-sha-256\nhost all all 127.0.0.1/32 trust\n";
    // Written in place, so that the owner stays.
    fs::write(cluster.directory.join("data/pg_hba.conf"), lines).unwrap();
    admin.execute("select pg_reload_conf()").await;

    let socket = cluster.directory.display().to_string();
    let encoded = socket.replace('/', "%2F");
    let port = cluster.port;
    let password = "p%40ss%20+%26=%3A%2F%201";
    let wrong = format!("postgres://ada:wrong@/{name}?host={socket}&port={port}");
    eventually("the server asks for passwords", async || {
        TestApp::try_start(Db::Postgres { url: wrong.clone() })
            .await
            .is_err()
    })
    .await;
    for (who, url) in [
        (
            "a",
            format!("postgres://bob@/{name}?host={socket}&port={port}"),
        ),
        ("b", format!("postgres://bob@:{port}/{name}?host={socket}")),
        (
            "c",
            format!("postgres://ada:{password}@/{name}?host={socket}&port={port}"),
        ),
        (
            "d",
            format!("postgres://ada:{password}@:{port}/{name}?host={encoded}"),
        ),
        (
            "e",
            format!("postgres://ada:{password}@{encoded}:{port}/{name}"),
        ),
        (
            "f",
            format!("postgresql:///{name}?host={socket}&port={port}&user=bob"),
        ),
    ] {
        let app = TestApp::start(Db::Postgres { url }).await;
        let ada = app.signs_up("Acme", &format!("{who}@acme.example")).await;
        ada.me().await.expect(200);
    }
}
