//! The development mailbox: keeps every e-mail and shows it at `/dev/mailbox`.

mod newest;
mod pages;
mod received;

use actix_web::web::{self, Data, ServiceConfig};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::ports::Mailer;
use crate::ports::mailer::{Mail, SendFailure};
use received::Received;

/// Where everything is mounted.
pub const PATH: &str = "/dev/mailbox";

/// Renders an e-mail as sent to a server. It is the adapter's function, so the page shows what a server would get.
pub type Writer = fn(&Mail) -> Result<Vec<u8>, SendFailure>;

/// A clone is another handle to the same mailbox.
#[derive(Clone)]
pub struct Mailbox {
    received: Data<Received>,
    writer: Writer,
}

impl Mailbox {
    pub fn new(writer: Writer) -> Self {
        Self {
            received: Data::new(Received::new()),
            writer,
        }
    }

    /// Mounts everything under [`PATH`].
    pub fn configure(&self, config: &mut ServiceConfig) {
        config.service(
            web::scope(PATH)
                .app_data(self.received.clone())
                .service(web::resource("").get(pages::list))
                .service(web::resource("/newest").get(newest::newest))
                .service(web::resource("/{id}").get(pages::mail))
                .service(web::resource("/{id}/html").get(pages::html))
                .service(web::resource("/{id}/source").get(pages::source)),
        );
    }
}

impl Mailer for Mailbox {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<(), SendFailure>> {
        async move {
            let source = (self.writer)(mail)?;
            self.received.keep(mail.clone(), source);
            Ok(())
        }
        .boxed()
    }
}
