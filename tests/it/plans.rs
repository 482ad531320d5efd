//! How the databases find what requests read, among many people: no table of theirs is read as a whole, whether there
//! are statistics or not. The statements and their parameters are those that the program sends.
//!
//! Among 100,000 people; `HALLPASS_PLANS_PEOPLE=1000000` for more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use chrono::TimeDelta;
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use hallpass::service::operations::purge::purge;
use serde_json::Value;

use crate::support::cluster::Cluster;
use crate::support::{Actor, Db, PASSWORD, TestApp};

/// The tables that grow with the number of people.
const LARGE: &[&str] = &[
    "users",
    "memberships",
    "reporting_lines",
    "searchable_people",
    "sessions",
    "audit",
    "changes",
    "known_addresses",
    "known_devices",
    "one_time_tokens",
    "failed_attempts",
    "failures_in_a_row",
];

/// Pages of 8 KiB that one statement may look at. A table of 100,000 people has more.
const PAGES: u64 = 1_500;

fn people() -> u32 {
    let people = std::env::var("HALLPASS_PLANS_PEOPLE");
    people.map_or(100_000, |people| people.parse().unwrap())
}

/// What the databases write differently.
struct Words {
    is_postgres: bool,
    /// A table with the column `i`.
    numbers: String,
    /// Some seconds ago, and in 30 days.
    at: &'static str,
    later: &'static str,
    line_break: &'static str,
    no: &'static str,
}

impl Words {
    fn of(db: &Db) -> Self {
        let count = people();
        match db {
            Db::Postgres { .. } => Self {
                is_postgres: true,
                numbers: format!("generate_series(1, {count}) as i"),
                at: "timestamptz '2027-01-15 11:59:55Z'",
                later: "timestamptz '2027-02-14 11:59:55Z'",
                line_break: "chr(10)",
                no: "false",
            },
            Db::Sqlite { .. } => Self {
                is_postgres: false,
                numbers: format!(
                    "(with recursive n(i) as (select 1 union all select i + 1 from n where i < {count}) select i from n)"
                ),
                at: "1800014395000000",
                later: "1802606395000000",
                line_break: "char(10)",
                no: "0",
            },
        }
    }

    fn uuid(&self, uuid: &str) -> String {
        if self.is_postgres {
            format!("'{uuid}'::uuid")
        } else {
            format!("x'{}'", uuid.replace('-', ""))
        }
    }

    /// An id of each kind of rows for a number, of a time some minutes ago.
    fn numbered(&self, kind: u32, number: &str) -> String {
        if self.is_postgres {
            format!("('01a31930-{kind:04x}-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid")
        } else {
            format!("unhex(printf('01a31930{kind:04x}70008000%012x', {number}))")
        }
    }

    /// As few statements as possible: what the triggers do for one row takes longer than the row.
    async fn without_triggers(&self, db: &Db, mut inserts: Vec<String>) -> Vec<String> {
        if self.is_postgres {
            inserts.insert(0, "set session_replication_role = replica".to_owned());
            return inserts;
        }
        let triggers = "select name || ' ' || sql as v from sqlite_master where type = 'trigger'";
        let triggers: Vec<String> = db.values(triggers).await.into_iter().flatten().collect();
        let split = || {
            triggers
                .iter()
                .filter_map(|trigger| trigger.split_once(' '))
        };
        let begin = ["pragma foreign_keys = off".to_owned(), "begin".to_owned()];
        let index =
            "insert into searchable_people_index (searchable_people_index) values ('rebuild')";
        begin
            .into_iter()
            .chain(split().map(|(name, _)| format!("drop trigger {name}")))
            .chain(inserts)
            .chain([index.to_owned()])
            .chain(split().map(|(_, sql)| sql.to_owned()))
            .chain(["commit".to_owned()])
            .collect()
    }
}

/// A tenth of all people is in one organization, 900 in another, and the admins of both are known. One is alone.
struct Organizations {
    large: Actor,
    medium: Actor,
    alone: Actor,
}

impl Organizations {
    async fn filled(app: &TestApp) -> Self {
        let all = Self {
            large: app.signs_up("Large", "ada@large.example").await,
            medium: app.signs_up("Medium", "ada@medium.example").await,
            alone: app.signs_up("Alone", "ada@alone.example").await,
        };
        all.fill(&app.db).await;
        all
    }

    /// Fills the tables as the triggers would, which take longer.
    async fn fill(&self, db: &Db) {
        let words = Words::of(db);
        let (large, medium) = (
            words.uuid(self.large.organization_id()),
            words.uuid(self.medium.organization_id()),
        );
        let admin = words.uuid(self.large.id());
        let Words {
            numbers,
            at,
            later,
            line_break,
            no,
            ..
        } = &words;
        let id = |kind: u32, number: &str| words.numbered(kind, number);
        let (user, others, tenth) = (id(0, "i"), id(1, "i / 900"), people() / 10);
        let organization = format!(
            "case when i <= {tenth} then {large} when i <= {} then {medium} else {others} end",
            tenth + 900
        );
        let text = format!("'person ' || i || {line_break} || 'p' || i || '@x.example'");
        let outcome = "case when i % 10 = 0 then 'refused' else 'ok' end";
        let action = "case when i % 3 = 0 then 'session.login' else 'session.logout' end";
        let rows = [
            (
                "users (id, email, name, created_at, updated_at)",
                format!("{user}, 'p' || i || '@x.example', 'Person ' || i, {at}, {at}"),
            ),
            (
                "memberships (user_id, organization_id, role, created_at, updated_at)",
                format!("{user}, {organization}, 'employee', {at}, {at}"),
            ),
            (
                "reporting_lines (organization_id, manager_id, user_id)",
                format!(
                    "{organization}, case when i <= {tenth} then {admin} else {user} end, {user}"
                ),
            ),
            (
                "searchable_people (organization_id, user_id, text, number)",
                format!("{organization}, {user}, {text}, 1000 + i"),
            ),
            (
                "sessions (id, user_id, organization_id, created_at, last_used_at, expires_at, kind, locked, ver)",
                format!(
                    "{}, {user}, {organization}, {at}, {at}, {later}, 'jwt', {no}, 0",
                    id(2, "i")
                ),
            ),
            (
                "audit (id, at, action, outcome, actor_id, subject_id, organization_id, request_id)",
                format!(
                    "{}, {at}, {action}, {outcome}, {user}, {user}, {organization}, 'request'",
                    id(3, "i")
                ),
            ),
            (
                "changes (kind, user_id, session_id, at, expires_at)",
                format!("'session_ended', {user}, {}, {at}, {later}", id(4, "i")),
            ),
            (
                "known_addresses (user_id, block, last_at)",
                format!("{user}, '192.0.2.1', {at}"),
            ),
            (
                "known_devices (user_id, device, network, last_at)",
                format!("{user}, 'device', '', {at}"),
            ),
            (
                "one_time_tokens (hash, purpose, payload, expires_at)",
                format!("'hash' || i, 'x', 'x', {later}"),
            ),
            (
                "failed_attempts (account, address, at)",
                format!("'account' || i, 'address' || i, {at}"),
            ),
            (
                "failures_in_a_row (account, failures, last_at)",
                format!("'account' || i, 1, {at}"),
            ),
        ];
        let inserts = rows
            .iter()
            .map(|(table, values)| format!("insert into {table} select {values} from {numbers}"));
        let inserts: Vec<String> = inserts.collect();
        db.execute(&words.without_triggers(db, inserts).await.join(";\n"))
            .await;
    }

    /// The requests of a day. What they answer is tested elsewhere.
    async fn requests(&self, app: &TestApp) {
        let cursors = [0, people() / 20, people() / 10 - 30].map(|i| {
            let id = format!("01a31930000070008000{i:012x}");
            let bytes = data_encoding::HEXLOWER.decode(id.as_bytes()).unwrap();
            format!("&cursor={}", data_encoding::BASE64URL_NOPAD.encode(&bytes))
        });
        for admin in [&self.large, &self.medium, &self.alone] {
            for q in [
                "",
                "&q=person",
                "&q=zzzq",
                "&q=p77",
                "&q=zq",
                "&q=p9%25",
                "&q=%20555",
            ] {
                for cursor in &cursors {
                    admin
                        .get(&format!("/api/users?limit=25{cursor}{q}"))
                        .await
                        .expect(200);
                }
            }
            let someone = "01a31930-0000-7000-8000-00000000004d";
            let all = format!(
                "&action=session.login&outcome=refused&actorId={someone}&subjectId={someone}\
                 &from=2027-01-01T00:00:00Z&to=2027-02-01T00:00:00Z"
            );
            for filter in [
                "",
                "&action=session.login",
                "&action=never",
                "&outcome=refused",
                "&action=never&outcome=refused",
                "&action=session.login&outcome=ok",
                &format!("&actorId={someone}"),
                &format!("&actorId={someone}&outcome=refused"),
                &format!("&subjectId={someone}&action=session.login"),
                &all,
            ] {
                admin
                    .get(&format!("/api/audit?limit=25{filter}"))
                    .await
                    .expect(200);
            }
            let mut session = app.logs_in(&admin.email, PASSWORD).await;
            session.me().await.expect(200);
            let refreshed = session.post("/api/auth/refresh").await.expect(200);
            session.takes_token(&refreshed);
            session.sessions().await;
            session.logs_out().await.expect(200);
            app.tries_to_log_in(&admin.email, "wrong").await;
            app.forgets_password(&admin.email).await.expect(200);
        }
        app.joins(
            self.large.organization_id(),
            &format!("new{}@large.example", app.clock.timestamp()),
        )
        .await;
        purge(app.operator_app().await.services()).await;
        app.advance(TimeDelta::seconds(1));
    }
}

mod postgres {
    use super::*;

    /// Every statement with its plan since the log had a length.
    fn plans(cluster: &Cluster, from: usize) -> Vec<Value> {
        let log = std::fs::read(cluster.directory.join("log")).unwrap();
        let log = String::from_utf8_lossy(&log[from..]);
        let texts = log.split("  plan:\n").skip(1).map(|part| {
            let lines = part.lines().take_while(|line| line.starts_with('\t'));
            lines.collect::<String>()
        });
        texts
            .map(|text| serde_json::from_str(&text).expect(&text))
            .collect()
    }

    fn length(cluster: &Cluster) -> usize {
        let log = std::fs::metadata(cluster.directory.join("log")).unwrap();
        usize::try_from(log.len()).unwrap()
    }

    fn nodes(node: &Value) -> Vec<&Value> {
        let below = node["Plans"].as_array().into_iter().flatten();
        std::iter::once(node).chain(below.flat_map(nodes)).collect()
    }

    /// What is wrong with a plan, if anything.
    fn fault(plan: &Value) -> Option<String> {
        let root = &plan["Plan"];
        for node in nodes(root) {
            let table = node["Relation Name"].as_str().unwrap_or_default();
            let kind = node["Node Type"].as_str().unwrap();
            let is_whole = kind == "Seq Scan"
                || (["Index Scan", "Index Only Scan"].contains(&kind)
                    && node["Index Cond"].is_null());
            if is_whole && LARGE.contains(&table) {
                return Some(format!("{kind} of {table}"));
            }
        }
        let pages =
            ["Shared Hit Blocks", "Shared Read Blocks"].map(|kind| root[kind].as_u64().unwrap());
        let pages: u64 = pages.iter().sum();
        (root["Operation"].is_null() && pages > PAGES).then(|| format!("{pages} pages"))
    }

    /// Statements, with what is wrong with them.
    fn faults(cluster: &Cluster, from: usize) -> BTreeMap<String, String> {
        let plans = plans(cluster, from);
        let statements: BTreeSet<&str> = plans
            .iter()
            .filter_map(|plan| plan["Query Text"].as_str())
            .collect();
        for part in ["searchable_people_tokens_idx", "pg_current_snapshot"] {
            let has_part = |plan: &&Value| plan.to_string().contains(part);
            assert!(
                plans.iter().any(|plan| has_part(&plan)),
                "no plan has {part}"
            );
        }
        assert!(statements.len() > 40, "{statements:?}");
        let faulty = plans.iter().filter_map(|plan| Some((plan, fault(plan)?)));
        faulty
            .map(|(plan, fault)| {
                (
                    plan["Query Text"].to_string(),
                    format!("{fault}: {}", plan["Plan"]),
                )
            })
            .collect()
    }

    #[actix_web::test]
    async fn no_statement_reads_a_table_as_a_whole_with_or_without_statistics() {
        let Some(cluster) = Cluster::start() else {
            return;
        };
        let db = Db::create_on(&cluster, "").await.unwrap();
        let name = db.values("select current_database() as v").await[0]
            .clone()
            .unwrap();
        let set = async |setting: &str| {
            db.execute(&format!("alter database {name} set {setting}"))
                .await;
        };
        db.execute("alter system set autovacuum = off").await;
        db.execute("select pg_reload_conf()").await;
        let mut app = TestApp::start(db.clone()).await;
        let organizations = Organizations::filled(&app).await;
        for setting in [
            "session_preload_libraries = auto_explain",
            "auto_explain.log_min_duration = 0",
            "auto_explain.log_analyze = on",
            "auto_explain.log_timing = off",
            "auto_explain.log_buffers = on",
            "auto_explain.log_nested_statements = on",
            "auto_explain.log_format = json",
        ] {
            set(setting).await;
        }
        for statistics in ["checkpoint", "vacuum analyze"] {
            app.db.execute(statistics).await;
            app.restart().await;
            let from = length(&cluster);
            organizations.requests(&app).await;
            let faults = faults(&cluster, from);
            assert!(faults.is_empty(), "after {statistics}: {faults:#?}");
        }
    }
}

mod sqlite {
    use super::*;

    /// Statistics of a time when one person had done everything.
    const OF_ONE_PERSON: &str = "analyze;
        update sqlite_stat1 set stat = '100 100 100 1' where idx = 'audit_actor_idx';
        update sqlite_stat1 set stat = '100 100 1' where idx = 'audit_subject_idx';
        update sqlite_stat1 set stat = '100 100 50 1' where idx in ('audit_action_idx', 'audit_outcome_idx')";

    /// The statements that connections to a file have run.
    static STATEMENTS: Mutex<BTreeMap<String, BTreeSet<String>>> = Mutex::new(BTreeMap::new());

    #[derive(Default)]
    struct Recorder {
        path: String,
    }

    impl Instrumentation for Recorder {
        fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
            match event {
                InstrumentationEvent::StartEstablishConnection { url, .. } => {
                    url.clone_into(&mut self.path);
                }
                InstrumentationEvent::StartQuery { query, .. } => {
                    if let Some(statements) = STATEMENTS.lock().unwrap().get_mut(&self.path) {
                        let text = query.to_string();
                        let text = text.split(" -- binds").next().unwrap_or_default();
                        statements.insert(text.to_owned());
                    }
                }
                _ => {}
            }
        }
    }

    #[actix_web::test]
    async fn no_statement_reads_a_table_as_a_whole_with_or_without_statistics() {
        set_default_instrumentation(|| Some(Box::new(Recorder::default()))).unwrap();
        let db = Db::sqlite();
        let Db::Sqlite { path } = &db else {
            return;
        };
        let path = path.to_str().unwrap();
        let mut app = TestApp::start(db.clone()).await;
        let organizations = Organizations::filled(&app).await;
        for statistics in ["select 1", OF_ONE_PERSON, "analyze"] {
            app.db.execute(statistics).await;
            STATEMENTS
                .lock()
                .unwrap()
                .insert(path.to_owned(), BTreeSet::new());
            app.restart().await;
            organizations.requests(&app).await;
            let statements = STATEMENTS.lock().unwrap().remove(path).unwrap();
            assert!(statements.len() > 40, "{statements:?}");
            let mut faults = BTreeMap::new();
            for statement in statements {
                if let Some(plan) = plan(&app.db, &statement).await
                    && is_faulty(&statement, &plan)
                {
                    faults.insert(statement, plan);
                }
            }
            assert!(faults.is_empty(), "after {statistics}: {faults:#?}");
        }
    }

    /// `None` for what has no plan, such as `BEGIN`.
    async fn plan(db: &Db, statement: &str) -> Option<String> {
        let first = statement.split_whitespace().next()?.to_lowercase();
        // Diesel's way to say "none of these".
        let is_planned = ["select", "with", "insert", "update", "delete"].contains(&&*first)
            && !statement.contains("(1=0)");
        if is_planned {
            Some(db.plan(&format!("explain query plan {statement}")).await)
        } else {
            None
        }
    }

    fn is_faulty(statement: &str, plan: &str) -> bool {
        let is_whole = |line: &str| {
            let table = line
                .strip_prefix("SCAN ")
                .and_then(|rest| rest.split(' ').next());
            table.is_some_and(|table| LARGE.contains(&table) || ["p", "line", "m"].contains(&table))
        };
        // A page of the audit log is one range of an index, in its order.
        let is_page = statement.contains(" from audit") && statement.contains(" order by id desc");
        let columns = [
            "organization_id",
            "actor_id",
            "subject_id",
            "action",
            "outcome",
        ];
        let is_followed = |column: &&str| {
            let is_named = [" where", " and"]
                .iter()
                .any(|word| statement.contains(&format!("{word} {column} = ?")));
            let is_whole_range = plan.contains(&format!("{column}=?"));
            !is_named || is_whole_range
        };
        let is_other_page =
            is_page && (plan.contains("TEMP B-TREE") || !columns.iter().all(is_followed));
        // What a person did in the last minute is found by the person.
        let is_of_a_person = statement.contains("`audit`.`actor_id` = ?");
        let finds_person = ["audit_actor_idx", "audit_subject_idx"]
            .iter()
            .any(|index| plan.contains(index));
        plan.lines().any(is_whole) || is_other_page || (is_of_a_person && !finds_person)
    }
}
