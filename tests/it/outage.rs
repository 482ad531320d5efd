//! A database that does not answer is nobody's wrong password.

use crate::house::cluster::Cluster;
use crate::house::{Db, PASSWORD, TestApp, eventually};

#[actix_web::test]
async fn without_postgres_answers_are_503_never_401_and_recover_by_themselves() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let db = Db::create_on(&cluster, "").await.unwrap();
    let app = TestApp::start(db).await;
    let ada = app.founds("Acme", "ada@acme.example").await;
    ada.me().await.expect(200);
    app.get("/readyz").await.expect(200);

    cluster.stop();
    for _ in 0..3 {
        let login = app.tries_to_log_in(&ada.email, PASSWORD).await;
        login.refused(503, "Service unavailable");
        ada.refreshes().await.refused(503, "Service unavailable");
        let wrong = app.tries_to_log_in(&ada.email, "Not-The-Password-1").await;
        wrong.refused(503, "Service unavailable");
    }
    // A token is believed until the news of revocations is too old.
    eventually("tokens cannot be judged", async || {
        let answer = ada.me().await;
        assert!(
            matches!(answer.status.as_u16(), 200 | 503),
            "{}",
            answer.text()
        );
        answer.status == 503
    })
    .await;
    assert_eq!(app.get("/readyz").await.status, 503);
    assert_eq!(app.get("/readyz?verbose").await.status, 503);
    app.get("/livez").await.expect(200);

    cluster.resume();
    let took = eventually("the instance has recovered", async || {
        app.get("/readyz").await.status == 200
    })
    .await;
    eprintln!(
        "ready {} ms after PostgreSQL was started again",
        took.as_millis()
    );
    ada.me().await.expect(200);
    app.tries_to_log_in(&ada.email, PASSWORD).await.expect(200);
}
