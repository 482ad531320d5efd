//! Where webhooks may lead.

use chrono::TimeDelta;
use serde_json::json;

use super::{arrive, deliveries, deliveries_are, hook, makes, tests};
use crate::support::receiver::Receiver;
use crate::support::{Db, TestApp, on_both_databases};

on_both_databases! {
    async fn no_webhook_leads_to_an_address_that_is_not_public(db: Db) {
        let app = TestApp::configured(db, |config| config.webhooks.allow_private = false).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        for host in [
            "127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "[fd00:ec2::254]", "100.64.0.1",
            "[::ffff:192.168.0.1]", "[64:ff9b::7f00:1]", "0x7f000001", "224.0.0.1", "192.0.2.1", "localhost:5432",
        ] {
            let refused = makes(&ada, &json!({"url": format!("https://{host}/")})).await;
            refused.refused_fields(&["url"]);
            assert!(refused.text().contains("not_public"), "{host}: {}", refused.text());
        }
        let plain = makes(&ada, &json!({"url": "http://1.1.1.1/"})).await;
        assert!(plain.text().contains("https_required"), "{}", plain.text());
        assert_eq!(app.db.count("select count(*) from webhooks").await, 0);
    }

    async fn an_address_is_checked_when_it_is_connected_to(app: TestApp) {
        let mut app = app;
        let receiver = Receiver::start().await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let by_address = hook(&ada, &receiver).await;
        let port = receiver.address.port();
        let named = json!({"url": format!("https://localhost:{port}/")});
        let by_name = super::Hook::of(&makes(&ada, &named).await);
        tests(&ada, &by_address).await;
        arrive(&receiver, 1).await;
        // As if the name had led elsewhere before, or the setting had been another one.
        app.restart_configured(|config| config.webhooks.allow_private = false).await;
        app.advance(TimeDelta::seconds(1));
        tests(&ada, &by_address).await;
        tests(&ada, &by_name).await;
        deliveries_are(&app, "given_up_at is not null", 2).await;
        assert_eq!(deliveries(&ada, &by_address).await[0]["lastError"], "not_encrypted");
        assert_eq!(deliveries(&ada, &by_name).await[0]["lastError"], "host_not_public");
        assert_eq!(receiver.told().len(), 1);
    }
}
