//! A clock that jumps.

use chrono::TimeDelta;

use crate::support::{PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    async fn a_clock_that_jumps_by_eight_days_breaks_nothing(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let ended = ada.signs_in_again().await;
        ended.logs_out().await.expect(200);

        // Forwards: seven-day tokens have expired.
        app.advance(TimeDelta::days(8));
        ada.me().await.refused(401, "Token expired");
        ada.refreshes().await.refused(401, "Token expired");
        let ahead = app.logs_in(&ada.email, PASSWORD).await;
        ahead.me().await.expect(200);
        app.joins(ada.organization_id(), "bob@acme.example").await;
        app.get("/readyz").await.expect(200);

        // And back: what was issued in the future is not accepted until then.
        app.advance(TimeDelta::days(-8));
        ada.me().await.expect(200);
        ahead.me().await.refused(401, "Invalid token");
        ended.me().await.refused(401, "Token revoked");
        let now = app.logs_in(&ada.email, PASSWORD).await;
        now.refreshes().await.expect(200);
        assert!(!now.sessions().await.is_empty());

        // And into the past.
        app.advance(TimeDelta::days(-8));
        ada.me().await.refused(401, "Invalid token");
        let behind = app.logs_in(&ada.email, PASSWORD).await;
        behind.me().await.expect(200);
        behind.refreshes().await.expect(200);
        behind.logs_out().await.expect(200);
        behind.me().await.refused(401, "Token revoked");
        app.signs_up("Globex", "eve@globex.example").await;
        app.get("/readyz").await.expect(200);

        app.advance(TimeDelta::days(8));
        now.me().await.expect(200);
        behind.me().await.refused(401, "Token expired");
    }
}
