//! The mail server, the sender, and the e-mail templates.

use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use url::Url;

use super::mail_templates;
use super::reader::Reader;
use super::setting_error::Problem;
use super::settings::{MAIL_FROM, SMTP_URL};
use crate::domain::{Email, MailLogin, MailSender, MailServer, MailTls};
use crate::email_templates::Templates;

const SMTPS_PORT: u16 = 465;

/// Message submission (RFC 6409 §3.1).
const SUBMISSION_PORT: u16 = 587;

#[derive(Debug, Clone)]
pub struct Mail {
    /// `None` if no mail server is configured.
    pub server: Option<MailServer>,
    /// Always set if there is a server.
    pub sender: Option<MailSender>,
    pub templates: Templates,
}

impl Mail {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let server = reader.value(&SMTP_URL, server);
        let sender = reader.value(&MAIL_FROM, sender);
        if reader.is_given(&SMTP_URL) && !reader.is_given(&MAIL_FROM) {
            let why = "It is required because SMTP_URL is set.";
            let hint = "Set it to the sender's address, such as no-reply@example.com.";
            reader.report(&MAIL_FROM, Problem::new(why, hint));
        }
        let templates = mail_templates::read(reader);
        Some(Self {
            server,
            sender,
            templates: templates?,
        })
    }
}

/// `smtps://user:password@host:port?ca=file` or `smtp://…?tls=required`. It may contain a password, so no problem
/// repeats it.
fn server(text: &str) -> Result<MailServer, Problem> {
    let hint = "Use smtps://user:password@host:465, and percent-encode special characters in the password.";
    let problem = |why| Problem::new(why, hint);
    let not_a_server = || problem("It is not the URL of a mail server.");
    let url = Url::parse(text).map_err(|_| not_a_server())?;
    let is_implicit = match url.scheme() {
        "smtps" => true,
        "smtp" => false,
        _ => return Err(not_a_server()),
    };
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_matches(['[', ']']).to_owned();
    let is_host = host.parse::<IpAddr>().is_ok() || url::Host::parse(&host).is_ok();
    if host.is_empty() || !is_host {
        return Err(not_a_server());
    }
    if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
        return Err(problem("It contains a path or a fragment."));
    }
    let default_port = if is_implicit {
        SMTPS_PORT
    } else {
        SUBMISSION_PORT
    };
    let mut server = MailServer {
        host,
        port: url.port().unwrap_or(default_port),
        tls: MailTls::WhenOffered,
        login: login(&url)
            .ok_or_else(|| problem("The user name or the password is not valid UTF-8."))?,
        authorities: None,
    };
    // Traffic on loopback cannot be intercepted, and local servers rarely have a certificate from a public authority.
    if server.is_on_loopback() {
        server.tls = MailTls::Never;
    }
    if is_implicit {
        server.tls = MailTls::Implicit;
    }
    for (name, value) in url.query_pairs() {
        match (&*name, &*value) {
            ("tls", "required") if !is_implicit => server.tls = MailTls::Required,
            ("tls", "opportunistic") if !is_implicit => server.tls = MailTls::WhenOffered,
            ("tls", "none") if !is_implicit => server.tls = MailTls::Never,
            ("tls", _) => {
                return Err(Problem::new(
                    "The value of its parameter tls is not valid.",
                    "Use smtps:// for implicit TLS, or smtp:// with tls=required, tls=opportunistic or tls=none.",
                ));
            }
            ("ca", path) => server.authorities = Some(path.into()),
            _ => {
                return Err(Problem::new(
                    "It contains an unknown parameter.",
                    "The parameters are tls and ca.",
                ));
            }
        }
    }
    Ok(server)
}

/// `Some(None)` without a user; `None` if user or password is not UTF-8.
fn login(url: &Url) -> Option<Option<MailLogin>> {
    if url.username().is_empty() {
        return Some(None);
    }
    let decoded = |text| percent_decode_str(text).decode_utf8().ok();
    let user = decoded(url.username())?.into_owned();
    let password = decoded(url.password().unwrap_or_default())?.into_owned();
    Some(Some(MailLogin {
        user,
        password: password.into(),
    }))
}

/// `Name <address>` or just the address.
fn sender(text: &str) -> Result<MailSender, Problem> {
    let (name, address) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
        Some((name, address)) => (name.trim().trim_matches('"'), address),
        None => ("", text),
    };
    let hint = "Use an address such as no-reply@example.com, or Hallpass <no-reply@example.com>.";
    if name.chars().any(char::is_control) {
        return Err(Problem::new("The name contains control characters.", hint));
    }
    Ok(MailSender {
        name: (!name.is_empty()).then(|| name.to_owned()),
        address: Email::parse(address)
            .map_err(|_| Problem::new("It is not an e-mail address.", hint))?,
    })
}
