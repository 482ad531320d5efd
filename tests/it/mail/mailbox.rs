//! The mailbox page of `hallpass dev`.

use hallpass::adapters::smtp;
use hallpass::app::{App, Overrides};
use hallpass::config::{Config, Mode};
use hallpass::sandbox::mailbox::Mailbox;

use crate::support::{Db, TestApp};

#[actix_web::test]
async fn serve_mode_has_no_mailbox_page() {
    let app = TestApp::start(Db::sqlite()).await;
    for path in ["/dev/mailbox", "/dev/mailbox/newest", "/dev/mailbox/1/html"] {
        app.get(path).await.refused(404, "Not Found");
    }
}

#[actix_web::test]
async fn the_mailbox_page_exists_only_without_a_mail_server() {
    let url = Db::sqlite().url();
    for (smtp_url, is_there) in [(None, true), (Some("smtp://127.0.0.1:9"), false)] {
        let environment = |name: &str| match name {
            "PORT" => Some("0".to_owned()),
            "DATABASE_URL" => Some(url.clone()),
            "SMTP_URL" => smtp_url.map(str::to_owned),
            "MAIL_FROM" => Some("no-reply@hallpass.example".to_owned()),
            _ => None,
        };
        let config = Config::read(&environment, Mode::Dev).unwrap();
        let overrides = Overrides {
            mailbox: Some(Mailbox::new(smtp::written)),
            ..Overrides::default()
        };
        let app = App::build(config, overrides).await.unwrap();
        let (handle, address) = (app.stop_handle(), app.address());
        let running = tokio::task::spawn_local(app.run());
        let client = crate::support::client::Client::new(address);
        let status = client.get("/dev/mailbox").await.status;
        assert_eq!(status == 200, is_there);
        handle.stop().await;
        running.await.unwrap().unwrap();
    }
}
