//! From clone to a signed-in user in one command.

use std::process::Command;

use serde_json::Value;

use crate::house::Db;
use crate::process::{Server, hallpass};

#[actix_web::test]
async fn dev_prints_a_short_banner_whose_curl_line_works_when_pasted() {
    let mut command = hallpass(&["dev"]);
    command.env("DATABASE_URL", Db::sqlite().url());
    let server = Server::run(command).await;
    let banner = std::fs::read_to_string(&server.stdout).unwrap();
    assert!(banner.lines().count() <= 14, "{banner}");
    let address = server.client.address().to_string();
    assert!(
        banner.contains(&address) || banner.contains(&address.replace("127.0.0.1", "localhost"))
    );
    let curl = banner
        .lines()
        .find_map(|line| Some(&line[line.find("curl ")?..]))
        .expect("there is a line with curl");

    if Command::new("curl").arg("--version").output().is_err() {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "CI=true, but there is no curl"
        );
        eprintln!("\n*** there is no curl: THE BANNER'S COMMAND IS NOT TRIED ***\n");
        return;
    }
    let pasted = Command::new("sh").args(["-c", curl]).output().unwrap();
    let answer: Value = serde_json::from_slice(&pasted.stdout)
        .unwrap_or_else(|_| panic!("{curl}\n{}", String::from_utf8_lossy(&pasted.stderr)));
    assert!(answer["accessToken"].is_string(), "{answer}");
}

#[actix_web::test]
async fn dev_seeds_an_admin_a_manager_and_two_employees_once() {
    let db = Db::sqlite();
    for _ in 0..2 {
        let mut command = hallpass(&["dev"]);
        command.env("DATABASE_URL", db.url());
        drop(Server::run(command).await);
    }
    let roles = db
        .values("select role as v from memberships order by role")
        .await;
    let roles: Vec<&str> = roles.iter().flatten().map(String::as_str).collect();
    assert_eq!(roles, ["admin", "employee", "employee", "manager"]);
    assert_eq!(db.count("select count(*) from organizations").await, 1);
    assert_eq!(
        db.count("select count(*) from memberships where manager_id is not null")
            .await,
        1
    );
}
