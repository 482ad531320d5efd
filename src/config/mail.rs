//! The mail server and the sender.

use secrecy::SecretString;
use url::Url;

use super::fault::Complaint;
use super::reader::Reader;
use super::settings::{MAIL_FROM, SMTP_URL};
use crate::domain::Email;

#[derive(Debug, Clone)]
pub struct Mail {
    /// `smtp://` or `smtps://`, perhaps with user and password.
    pub smtp_url: SecretString,
    pub from: MailSender,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailSender {
    pub name: Option<String>,
    pub address: Email,
}

impl Mail {
    /// `None` without a mail server; the sender is judged all the same.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let smtp_url = reader.judged_secret(&SMTP_URL, judge_smtp_url);
        let from = reader.value(&MAIL_FROM, sender);
        if reader.is_given(&SMTP_URL) && !reader.is_given(&MAIL_FROM) {
            let why = "It is missing, though SMTP_URL is given.";
            let mend = "Give the sender, such as no-reply@example.com.";
            reader.complain(&MAIL_FROM, Complaint::new(why, mend));
        }
        Some(Self {
            smtp_url: smtp_url?,
            from: from?,
        })
    }
}

fn judge_smtp_url(text: &str) -> Result<(), Complaint> {
    let is_smtp = Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "smtp" | "smtps") && url.host_str().is_some_and(|h| !h.is_empty())
    });
    if is_smtp {
        Ok(())
    } else {
        Err(Complaint::new(
            "It is not the address of a mail server.",
            "Use smtps://user:password@host:465, with special characters of the password percent-encoded.",
        ))
    }
}

/// `Name <address>` or the address alone.
fn sender(text: &str) -> Result<MailSender, Complaint> {
    let (name, address) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
        Some((name, address)) => (name.trim().trim_matches('"'), address),
        None => ("", text),
    };
    let mend = "Use an address such as no-reply@example.com, or Hallpass <no-reply@example.com>.";
    if name.chars().any(char::is_control) {
        return Err(Complaint::new("Its name holds control characters.", mend));
    }
    Ok(MailSender {
        name: (!name.is_empty()).then(|| name.to_owned()),
        address: Email::parse(address)
            .map_err(|_| Complaint::new("It is not an e-mail address.", mend))?,
    })
}
