//! SMTP failures in our own words, because the server's text may repeat the recipient.

use std::io;

use lettre::transport::smtp::Error;

use crate::ports::mailer::SendFailure;

/// The command that the server answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The connection, its greeting and ours.
    Greeting,
    StartTls,
    Login,
    Sender,
    Recipient,
    Data,
    /// The e-mail itself.
    Mail,
}

impl Stage {
    fn as_str(self) -> &'static str {
        match self {
            Self::Greeting => "the greeting",
            Self::StartTls => "STARTTLS",
            Self::Login => "AUTH",
            Self::Sender => "MAIL FROM",
            Self::Recipient => "RCPT TO",
            Self::Data => "DATA",
            Self::Mail => "the mail",
        }
    }

    /// Whether a permanent failure is about this e-mail. Failures before that are about our settings: once those
    /// are fixed, the e-mail can still be delivered.
    fn is_about_the_mail(self) -> bool {
        matches!(self, Self::Recipient | Self::Data | Self::Mail)
    }
}

/// "Authentication required" (RFC 4954 §6): about our settings at any stage.
const LOGIN_REQUIRED: u16 = 530;

pub(super) fn at(stage: Stage) -> impl Fn(Error) -> SendFailure {
    move |error| {
        let where_ = stage.as_str();
        let Some(code) = error.status().map(u16::from) else {
            let cause = cause(&error).map_or(String::new(), |cause| format!(": {cause}"));
            let why = without_answer(&error);
            return SendFailure::Transient(format!("{why} at {where_}{cause}"));
        };
        let detail = enhanced_code(&error).map_or(String::new(), |detail| format!(" {detail}"));
        let why = format!("the server answered {code}{detail} to {where_}");
        if error.is_permanent() && stage.is_about_the_mail() && code != LOGIN_REQUIRED {
            SendFailure::Permanent(why)
        } else {
            SendFailure::Transient(why)
        }
    }
}

fn without_answer(error: &Error) -> &'static str {
    if error.is_timeout() {
        "the server did not answer in time"
    } else if error.is_tls() {
        "the TLS handshake failed"
    } else if error.is_response() {
        "the server sent an invalid or incomplete answer"
    } else if error.is_client() {
        "the server lacks a required extension"
    } else {
        "the connection failed"
    }
}

/// The operating system's or TLS library's error, which never contains an address.
fn cause(error: &Error) -> Option<String> {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return Some(io.to_string());
        }
        source = cause.source();
    }
    None
}

/// The enhanced status code (RFC 3463) at the start of the answer, such as `5.1.1`.
fn enhanced_code(error: &Error) -> Option<String> {
    let text = std::error::Error::source(error)?.to_string();
    let first = text.split_whitespace().next()?;
    let parts: Vec<&str> = first.split('.').collect();
    let is_code = parts.len() == 3
        && parts
            .iter()
            .all(|part| matches!(part.len(), 1..=3) && part.bytes().all(|b| b.is_ascii_digit()));
    is_code.then(|| first.to_owned())
}
