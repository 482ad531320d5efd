//! Where mail is handed over, and in whose name.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use secrecy::SecretString;

use super::Email;

/// A server that takes mail from us (RFC 6409).
#[derive(Debug, Clone)]
pub struct MailServer {
    pub host: String,
    pub port: u16,
    pub tls: MailTls,
    pub login: Option<MailLogin>,
    /// A PEM file of authorities to trust instead of the public ones.
    pub authorities: Option<PathBuf>,
}

/// How the way to the server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// From the first byte (RFC 8314 §3.3).
    Implicit,
    /// By STARTTLS (RFC 3207) or not at all.
    Required,
    /// By STARTTLS where the server offers it, which somebody in between can prevent.
    WhenOffered,
    Never,
}

#[derive(Debug, Clone)]
pub struct MailLogin {
    pub user: String,
    pub password: SecretString,
}

impl MailServer {
    /// Whether nothing leaves this machine on the way there.
    pub fn is_on_loopback(&self) -> bool {
        self.host == "localhost"
            || self
                .host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

/// Whom mails come from.
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
