//! Talking to a mail server: TLS, credentials and timeouts.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use hallpass::adapters::smtp::{Smtp, Timeouts};
use hallpass::domain::ids::EmailId;
use hallpass::domain::{Email, MailLogin, MailSender, MailServer, MailTls};
use hallpass::ports::Mailer;
use hallpass::ports::mailer::{Mail, SendFailure};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::server;
use crate::support::scratch;
use crate::support::smtp_sink::{Fault, STAGES, ServerOptions, SmtpSink, Stage};

type Authority = CertifiedIssuer<'static, KeyPair>;

#[actix_web::test]
async fn implicit_tls_and_starttls_work_when_the_certificate_is_trusted() {
    let (authority, trusted) = authority();
    let (_, foreign) = self::authority();
    for (is_implicit, tls) in [
        (true, MailTls::Implicit),
        (false, MailTls::Required),
        (false, MailTls::WhenOffered),
    ] {
        let sink = SmtpSink::with(ServerOptions {
            tls: Some(certificate(&authority)),
            is_implicit,
            wants_login: false,
        })
        .await;
        let mut server = server(&sink, tls);
        for untrusted in [Some(foreign.clone()), None] {
            server.authorities = untrusted;
            let failure = send(&server).await.unwrap_err();
            assert!(
                failure.to_string().contains("invalid peer certificate"),
                "{failure}"
            );
        }
        assert!(sink.received().is_empty());
        server.authorities = Some(trusted.clone());
        send(&server).await.unwrap();
        assert!(sink.received()[0].was_encrypted);
    }
}

#[actix_web::test]
async fn nothing_is_sent_if_required_tls_is_not_offered() {
    let sink = SmtpSink::start().await;
    let failure = send(&server(&sink, MailTls::Required)).await.unwrap_err();
    let why = "the server offers no TLS, and SMTP_URL says tls=required";
    assert_eq!(failure, SendFailure::Transient(why.to_owned()));
    assert!(sink.received().is_empty());
    send(&server(&sink, MailTls::WhenOffered)).await.unwrap();
    assert_eq!(sink.received().len(), 1);
}

#[actix_web::test]
async fn a_password_is_sent_only_over_tls_unless_plain_text_is_allowed() {
    let (authority, trusted) = authority();
    let login = Some(MailLogin {
        user: "ada".to_owned(),
        password: "swordfish".into(),
    });
    let plain = SmtpSink::with(ServerOptions {
        wants_login: true,
        ..ServerOptions::default()
    })
    .await;
    let with_login = |sink: &SmtpSink, tls| MailServer {
        login: login.clone(),
        authorities: Some(trusted.clone()),
        ..server(sink, tls)
    };
    let failure = send(&with_login(&plain, MailTls::WhenOffered))
        .await
        .unwrap_err();
    assert!(
        failure.to_string().contains("the password is never sent"),
        "{failure}"
    );
    send(&with_login(&plain, MailTls::Never)).await.unwrap();

    let encrypted = SmtpSink::with(ServerOptions {
        tls: Some(certificate(&authority)),
        is_implicit: false,
        wants_login: true,
    })
    .await;
    send(&with_login(&encrypted, MailTls::WhenOffered))
        .await
        .unwrap();
    // \0ada\0swordfish
    let said = "AUTH PLAIN AGFkYQBzd29yZGZpc2g=";
    assert_eq!(encrypted.received()[0].login.as_deref(), Some(said));

    encrypted.fails(Fault::Replies(
        Stage::Login,
        "535 5.7.8 wrong password swordfish",
    ));
    let failure = send(&with_login(&encrypted, MailTls::WhenOffered))
        .await
        .unwrap_err();
    let why = "the server answered 535 5.7.8 to AUTH";
    assert_eq!(failure, SendFailure::Transient(why.to_owned()));
}

#[actix_web::test]
async fn a_silent_server_is_abandoned_after_the_timeout() {
    let sink = SmtpSink::start().await;
    for stage in STAGES {
        sink.fails(Fault::Hangs(stage));
        let sent = send(&server(&sink, MailTls::Never)).await;
        // Once the message is accepted nothing is waited for.
        if stage == Stage::Goodbye {
            sent.unwrap();
        } else {
            assert!(is_transient(sent), "{stage:?}");
        }
    }
}

#[actix_web::test]
async fn an_unparsable_reply_is_retried() {
    let sink = SmtpSink::start().await;
    for stage in STAGES {
        sink.fails(Fault::Replies(stage, "HTTP/1.1 200 OK"));
        let sent = send(&server(&sink, MailTls::Never)).await;
        assert!(stage == Stage::Goodbye || is_transient(sent), "{stage:?}");
    }
}

#[test]
fn an_invalid_ca_file_is_refused_at_startup() {
    let app_url = "http://localhost".parse().unwrap();
    let nothing = scratch::fresh_path("nothing.pem");
    let mut server = MailServer {
        host: "mail.example".to_owned(),
        port: 465,
        tls: MailTls::Implicit,
        login: None,
        authorities: Some(nothing.clone()),
    };
    let error = Smtp::new(server.clone(), &app_url, Timeouts::default())
        .err()
        .unwrap();
    assert!(error.contains("nothing.pem cannot be read"), "{error}");
    std::fs::write(&nothing, "no certificate").unwrap();
    let error = Smtp::new(server.clone(), &app_url, Timeouts::default())
        .err()
        .unwrap();
    assert!(
        error.contains("nothing.pem contains no certificates"),
        "{error}"
    );
    server.authorities = Some(authority().1);
    assert!(Smtp::new(server, &app_url, Timeouts::default()).is_ok());
}

async fn send(server: &MailServer) -> Result<(), SendFailure> {
    // Short, because a test waits for it to pass; but a busy machine needs time for a handshake.
    let timeouts = Timeouts {
        connect: Duration::from_secs(2),
        dialogue: Duration::from_secs(2),
        mail: Duration::from_secs(2),
    };
    let smtp = Smtp::new(
        server.clone(),
        &"http://localhost".parse().unwrap(),
        timeouts,
    )
    .unwrap();
    smtp.send(&Mail {
        id: EmailId::NIL,
        host: "localhost".to_owned(),
        date: DateTime::UNIX_EPOCH,
        from: MailSender {
            name: None,
            address: Email::parse("no-reply@hallpass.example").unwrap(),
        },
        to: Email::parse("ada@acme.example").unwrap(),
        subject: "Hello".to_owned(),
        text: "Hello".to_owned(),
        html: "<p>Hello</p>".to_owned(),
    })
    .await
}

fn is_transient(sent: Result<(), SendFailure>) -> bool {
    matches!(sent, Err(SendFailure::Transient(_)))
}

/// A certificate authority and the file with its certificate.
fn authority() -> (Authority, PathBuf) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let path = scratch::fresh_path("ca.pem");
    std::fs::write(&path, authority.pem()).unwrap();
    (authority, path)
}

fn certificate(authority: &Authority) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()])
        .unwrap()
        .signed_by(&key, authority)
        .unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    Arc::new(config)
}
