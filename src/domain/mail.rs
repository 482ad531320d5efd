//! The mail server and the sender of e-mails.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use secrecy::SecretString;

use super::Email;

/// A message submission server (RFC 6409).
#[derive(Debug, Clone)]
pub struct MailServer {
    pub host: String,
    pub port: u16,
    pub tls: MailTls,
    pub login: Option<MailLogin>,
    /// A PEM file of certificate authorities to trust instead of the public ones.
    pub authorities: Option<PathBuf>,
}

/// How the connection to the server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// Implicit TLS (RFC 8314 §3.3).
    Implicit,
    /// STARTTLS (RFC 3207); sending fails if the server does not offer it.
    Required,
    /// STARTTLS if the server offers it. An active attacker can suppress the offer.
    WhenOffered,
    Never,
}

#[derive(Debug, Clone)]
pub struct MailLogin {
    pub user: String,
    pub password: SecretString,
}

impl MailServer {
    /// Whether the server runs on this machine, so that traffic never leaves it.
    pub fn is_on_loopback(&self) -> bool {
        self.host == "localhost"
            || self
                .host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

/// The sender of e-mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailSender {
    pub name: Option<String>,
    pub address: Email,
}

impl fmt::Display for MailSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => self.address.fmt(f),
        }
    }
}
