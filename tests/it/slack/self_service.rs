//! Who may come through Slack: accounts, organizations and workspaces.

use chrono::TimeDelta;
use hallpass::domain::{AllowedDomains, JoinPolicy, SelfService};
use serde_json::{Value, json};

use crate::support::slack::{CHALLENGE, RETURN_URL};
use crate::support::{SlackApp, on_both_databases};

const POLICIES: [JoinPolicy; 4] = [
    JoinPolicy::Open,
    JoinPolicy::Domain,
    JoinPolicy::Invite,
    JoinPolicy::Closed,
];

/// The workspaces of "owner" and "member", and of "second-workspace".
const NUMBERS: &str = "T0NUMBERS";
const SIDE_PROJECT: &str = "T0SIDEPROJ";

async fn restarts(app: &mut SlackApp, change: impl FnOnce(&mut SelfService)) {
    app.0
        .restart_configured(|config| change(&mut config.self_service))
        .await;
}

fn domains(domain: &str) -> AllowedDomains {
    AllowedDomains::parse([domain]).unwrap()
}

async fn count(app: &SlackApp, table: &str) -> i64 {
    app.db.count(&format!("select count(*) from {table}")).await
}

on_both_databases! {
    async fn a_new_account_through_slack_is_up_to_its_setting(app: SlackApp) {
        let mut app = app;
        let owner = app.person("owner").await;
        for (policy, domain, workspaces, is_let_in) in [
            (JoinPolicy::Open, "acme.example", &[][..], true),
            (JoinPolicy::Domain, "acme.example", &[NUMBERS], false),
            // Anyone can make a workspace in which their address is another person's.
            (JoinPolicy::Domain, "example.com", &[], false),
            (JoinPolicy::Domain, "example.com", &[NUMBERS], true),
            (JoinPolicy::Invite, "example.com", &[NUMBERS], false),
            (JoinPolicy::Closed, "example.com", &[NUMBERS], false),
        ] {
            restarts(&mut app, |rules| {
                rules.slack_registration = policy;
                rules.domains = domains(domain);
                rules.slack_workspaces = workspaces.iter().map(ToString::to_string).collect();
            })
            .await;
            let returned = app.arrives("member").await;
            if is_let_in {
                assert_eq!(app.me(returned.token()).await["role"], "employee");
                let member = app.db.id(app.me(returned.token()).await["id"].as_str().unwrap());
                app.db.execute(&format!("delete from users where id = {member}")).await;
            } else {
                returned.failed_with("not_allowed");
            }
            assert_eq!(count(&app, "users").await, 1, "{policy} {domain}");
            // Those who have an account are not asked.
            assert_eq!(app.signs_in("owner").await, owner.user);
        }
        assert_eq!(count(&app, "audit where outcome = 'refused' and reason = 'not_allowed'").await, 4);
    }

    async fn an_invitation_lets_in_through_slack_unless_it_is_closed(app: SlackApp) {
        let mut app = app;
        let owner = app.person("owner").await;
        for email in ["edsger@example.com", "sofya@example.com"] {
            owner.invites(email, "admin").await.expect(201);
        }
        let other = app.signs_up_verified("Acme", "ada@acme.example").await;
        // An invitation of another organization is none.
        other.invites("ada@example.com", "employee").await.expect(201);
        restarts(&mut app, |rules| rules.slack_registration = JoinPolicy::Closed).await;
        app.arrives("member").await.failed_with("not_allowed");
        restarts(&mut app, |rules| rules.slack_registration = JoinPolicy::Invite).await;
        app.arrives("registered").await.failed_with("not_allowed");
        app.arrives("no-email").await.failed_with("not_allowed");
        // The address is not verified, so the role is that of every newcomer.
        assert_eq!(app.signs_in("member").await["role"], "employee");
        app.advance(TimeDelta::days(8));
        app.arrives("unicode").await.failed_with("not_allowed");
    }

    async fn the_join_policy_of_the_organization_counts_for_slack_too(app: SlackApp) {
        let mut app = app;
        let owner = app.person("owner").await;
        for policy in [JoinPolicy::Domain, JoinPolicy::Invite, JoinPolicy::Closed] {
            owner.sets_rules(&json!({"joinPolicy": policy, "allowedDomains": ["example.com"]})).await;
            app.arrives("member").await.failed_with("not_allowed");
        }
        owner.sets_rules(&json!({"joinPolicy": "invite"})).await;
        owner.invites("edsger@example.com", "employee").await.expect(201);
        owner.sets_rules(&json!({"joinPolicy": "closed"})).await;
        app.arrives("member").await.failed_with("not_allowed");
        owner.sets_rules(&json!({"joinPolicy": "invite"})).await;
        app.signs_in("member").await;
        owner.sets_rules(&json!({"joinPolicy": "domain"})).await;
        restarts(&mut app, |rules| rules.slack_workspaces = vec![NUMBERS.to_owned()]).await;
        app.signs_in("unicode").await;
        // Members come and go as before.
        owner.sets_rules(&json!({"joinPolicy": "closed"})).await;
        app.signs_in("member").await;
    }

    async fn a_new_workspace_creates_an_organization_only_if_it_may(app: SlackApp) {
        let mut app = app;
        for registration in POLICIES {
            for creation in POLICIES {
                for workspaces in [&[][..], &[NUMBERS]] {
                    restarts(&mut app, |rules| {
                        rules.domains = domains("example.com");
                        rules.slack_registration = registration;
                        rules.slack_organization_creation = creation;
                        rules.slack_workspaces = workspaces.iter().map(ToString::to_string).collect();
                    })
                    .await;
                    let returned = app.arrives("member").await;
                    let admits = |policy| match policy {
                        JoinPolicy::Open => true,
                        JoinPolicy::Domain => !workspaces.is_empty(),
                        JoinPolicy::Invite | JoinPolicy::Closed => false,
                    };
                    if admits(registration) && admits(creation) {
                        assert_eq!(app.me(returned.token()).await["role"], "admin");
                        for table in ["sessions", "identities", "workspaces", "memberships", "users", "organizations"] {
                            app.db.execute(&format!("delete from {table}")).await;
                        }
                    } else {
                        returned.failed_with("not_allowed");
                    }
                    assert_eq!(count(&app, "users").await + count(&app, "organizations").await, 0);
                }
            }
        }
    }

    async fn who_is_not_let_in_through_slack_learns_of_no_account(app: SlackApp) {
        let mut app = app;
        app.person("owner").await;
        app.signs_up("Acme", "edsger@example.com").await;
        app.arrives("member").await.failed_with("account_exists");
        for policy in [JoinPolicy::Invite, JoinPolicy::Closed] {
            restarts(&mut app, |rules| rules.slack_registration = policy).await;
            app.arrives("member").await.failed_with("not_allowed");
            app.arrives("unicode").await.failed_with("not_allowed");
            let by_code = app.asks_for_url(RETURN_URL, &[("codeChallenge", CHALLENGE)]).await.expect(200);
            let callback = app.consents(&by_code["url"].as_str().unwrap().parse().unwrap(), "member").await;
            assert_eq!(app.follows(&callback).await.query["error"], "not_allowed");
        }
    }

    async fn only_members_of_the_listed_workspaces_come_through_slack(app: SlackApp) {
        let mut app = app;
        let owner = app.person("owner").await;
        restarts(&mut app, |rules| rules.slack_workspaces = vec![SIDE_PROJECT.to_owned()]).await;
        for persona in ["owner", "member"] {
            app.arrives(persona).await.failed_with("not_allowed");
        }
        let by_code = app.asks_for_url(RETURN_URL, &[("codeChallenge", CHALLENGE)]).await.expect(200);
        let callback = app.consents(&by_code["url"].as_str().unwrap().parse().unwrap(), "owner").await;
        assert_eq!(app.follows(&callback).await.query["error"], "not_allowed");
        app.links(&owner.token, "member").await.failed_with("not_allowed");
        app.links(&owner.token, "owner").await.failed_with("not_allowed");
        assert_eq!(count(&app, "identities").await, 1);
        let second = app.links(&owner.token, "second-workspace").await;
        assert_eq!(app.me(second.token()).await["id"], owner.user["id"]);
        restarts(&mut app, |rules| rules.slack_workspaces = vec![SIDE_PROJECT.to_owned(), NUMBERS.to_owned()]).await;
        assert_eq!(app.signs_in("owner").await, owner.user);
    }

    async fn linking_obeys_the_rules_for_organizations(app: SlackApp) {
        let mut app = app;
        let owner = app.person("owner").await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        restarts(&mut app, |rules| {
            rules.domains = domains("acme.example");
            rules.slack_workspaces = vec![NUMBERS.to_owned(), SIDE_PROJECT.to_owned()];
            rules.slack_registration = JoinPolicy::Closed;
            rules.slack_organization_creation = JoinPolicy::Domain;
        })
        .await;
        app.links(&ada.token, "second-workspace").await.failed_with("not_allowed");
        for policy in ["domain", "invite", "closed"] {
            owner.sets_rules(&json!({"joinPolicy": policy, "allowedDomains": ["acme.example"]})).await;
            app.links(&ada.token, "member").await.failed_with("not_allowed");
        }
        assert_eq!((count(&app, "identities").await, count(&app, "organizations").await), (1, 2));
        // The account exists already, and its own address counts, once it is verified.
        app.verifies_address("ada@acme.example").await;
        owner.sets_rules(&json!({"joinPolicy": "domain"})).await;
        app.links(&ada.token, "member").await.token();
        app.links(&ada.token, "second-workspace").await.token();
        assert_eq!((count(&app, "identities").await, count(&app, "organizations").await), (3, 3));
        for action in ["membership.joined", "organization.founded"] {
            let rows = format!("select count(*) from audit where action = '{action}' and actor_id = {} and method = 'slack'",
                app.db.id(ada.id()));
            assert_eq!(app.db.count(&rows).await, 1, "{action}");
        }
        // Members may link another identity whatever the rules are now.
        owner.sets_rules(&json!({"joinPolicy": "closed"})).await;
        app.links(&ada.token, "member").await.token();
    }

    async fn the_options_say_who_may_come_through_slack(app: SlackApp) {
        let mut app = app;
        let slack = async |app: &SlackApp| {
            let options = app.get("/api/auth/options").await.expect(200);
            options["providers"].as_array().unwrap().iter().find(|provider| provider["id"] == "slack").cloned()
        };
        let expected = |policy: &str| -> Option<Value> {
            Some(json!({"id": "slack", "name": "Slack", "type": "oauth", "registration": policy}))
        };
        assert_eq!(slack(&app).await, expected("open"));
        restarts(&mut app, |rules| rules.slack_registration = JoinPolicy::Invite).await;
        assert_eq!(slack(&app).await, expected("invite"));
    }
}
