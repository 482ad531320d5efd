//! Sends e-mails by SMTP (RFC 5321), with one connection per e-mail.

mod failure;
mod message;

use std::fs;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::ExposeSecret;
use tokio::time::timeout;
use url::Url;

use crate::domain::{MailServer, MailTls};
use crate::ports::Mailer;
use crate::ports::mailer::{Mail, SendFailure};
use failure::{Stage, at};
use message::address;
pub use message::written;

/// How long a server may take. The total must be shorter than an e-mail's lease in the outbox.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    pub connect: Duration,
    /// Until the e-mail can be sent. RFC 5321 §4.5.3.2 allows minutes, but we can retry instead of waiting.
    pub dialogue: Duration,
    /// For the e-mail itself and the answer. If we give up on the answer too early, we send a second copy.
    pub mail: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            dialogue: Duration::from_secs(30),
            mail: Duration::from_secs(60),
        }
    }
}

/// QUIT is a courtesy: the e-mail has been accepted by then.
const QUIT_TIMEOUT: Duration = Duration::from_millis(500);

pub struct Smtp {
    server: MailServer,
    hello: ClientId,
    /// `None` if the connection is never encrypted.
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    timeouts: Timeouts,
}

impl Smtp {
    /// Uses the host of `app_url` in EHLO.
    ///
    /// # Errors
    /// When the file of certificate authorities cannot be used.
    pub fn new(server: MailServer, app_url: &Url, timeouts: Timeouts) -> Result<Self, String> {
        let tls = match server.tls {
            MailTls::Never => None,
            MailTls::Implicit | MailTls::Required | MailTls::WhenOffered => Some(tls(&server)?),
        };
        let credentials = server.login.as_ref().map(|login| {
            let password = login.password.expose_secret().to_owned();
            Credentials::new(login.user.clone(), password)
        });
        Ok(Self {
            hello: hello(app_url),
            tls,
            credentials,
            timeouts,
            server,
        })
    }

    async fn deliver(&self, mail: &Mail) -> Result<(), SendFailure> {
        let text = written(mail)?;
        let mut connection = in_time(self.timeouts.dialogue, self.introduce(mail)).await?;
        in_time(self.timeouts.mail, async {
            let answer = connection.message(&text).await;
            answer.map_err(at(Stage::Mail))
        })
        .await?;
        let _ = timeout(QUIT_TIMEOUT, connection.quit()).await;
        Ok(())
    }

    /// Everything before the e-mail itself.
    async fn introduce(&self, mail: &Mail) -> Result<AsyncSmtpConnection, SendFailure> {
        let from = Some(address(&mail.from.address)?);
        let to = address(&mail.to)?;
        let mut connection = self.connect().await?;
        let answer = connection.command(MailFrom::new(from, Vec::new())).await;
        answer.map_err(at(Stage::Sender))?;
        let answer = connection.command(Rcpt::new(to, Vec::new())).await;
        answer.map_err(at(Stage::Recipient))?;
        connection.command(Data).await.map_err(at(Stage::Data))?;
        Ok(connection)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SendFailure> {
        let implicit = match self.server.tls {
            MailTls::Implicit => self.tls.clone(),
            MailTls::Required | MailTls::WhenOffered | MailTls::Never => None,
        };
        let mut connection = AsyncSmtpConnection::connect_tokio1(
            (self.server.host.as_str(), self.server.port),
            Some(self.timeouts.connect),
            &self.hello,
            implicit,
            None,
        )
        .await
        .map_err(at(Stage::Greeting))?;
        if self.starts_tls(&connection)?
            && let Some(tls) = &self.tls
        {
            let upgraded = connection.starttls(tls.clone(), &self.hello).await;
            upgraded.map_err(at(Stage::StartTls))?;
        }
        if let Some(credentials) = &self.credentials {
            if self.tls.is_some() && !connection.is_encrypted() {
                return Err(SendFailure::Transient(
                    "the server offers no TLS, and the password is never sent without it"
                        .to_owned(),
                ));
            }
            let login = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            login.map_err(at(Stage::Login))?;
        }
        Ok(connection)
    }

    fn starts_tls(&self, connection: &AsyncSmtpConnection) -> Result<bool, SendFailure> {
        match self.server.tls {
            MailTls::Implicit | MailTls::Never => Ok(false),
            MailTls::WhenOffered => Ok(connection.can_starttls()),
            MailTls::Required if connection.can_starttls() => Ok(true),
            MailTls::Required => Err(SendFailure::Transient(
                "the server offers no TLS, and SMTP_URL says tls=required".to_owned(),
            )),
        }
    }
}

impl Mailer for Smtp {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<(), SendFailure>> {
        self.deliver(mail).boxed()
    }
}

async fn in_time<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, SendFailure>>,
) -> Result<T, SendFailure> {
    timeout(limit, work).await.unwrap_or_else(|_| {
        let seconds = limit.as_secs();
        let why = format!("the server did not answer within {seconds} seconds");
        Err(SendFailure::Transient(why))
    })
}

fn tls(server: &MailServer) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(server.host.clone())
        .certificate_store(CertificateStore::WebpkiRoots);
    if let Some(path) = &server.authorities {
        let file = path.display();
        let pem = fs::read(path).map_err(|error| format!("ca={file} cannot be read: {error}"))?;
        let authorities: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<_, _>>()
            .unwrap_or_default();
        if authorities.is_empty() {
            return Err(format!("ca={file} contains no certificates"));
        }
        builder = builder.certificate_store(CertificateStore::None);
        for authority in authorities {
            let authority = Certificate::from_der(authority.to_vec());
            builder = builder.add_root_certificate(authority.map_err(|error| error.to_string())?);
        }
    }
    builder.build().map_err(|error| error.to_string())
}

/// The EHLO name: the host name, or an address literal (RFC 5321 §4.1.4).
fn hello(app_url: &Url) -> ClientId {
    match app_url.host() {
        Some(url::Host::Domain(name)) => ClientId::Domain(name.to_owned()),
        Some(url::Host::Ipv4(address)) => ClientId::Ipv4(address),
        Some(url::Host::Ipv6(address)) => ClientId::Ipv6(address),
        None => ClientId::default(),
    }
}
