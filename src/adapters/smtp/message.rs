//! A mail as it is written down for the way (RFC 5322, MIME).

use std::time::SystemTime;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

use crate::domain::Email;
use crate::ports::mailer::{Mail, SendFailure};

/// RFC 3834 §5: so that no vacation notice answers.
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// The bytes a server is handed: text and HTML, the better last.
///
/// # Errors
/// `Permanent` for addresses that are none; there is nothing else to go wrong.
pub fn written(mail: &Mail) -> Result<Vec<u8>, SendFailure> {
    // Nobody who writes a name into a letter knows the id, so nobody can end a part early.
    let parts = MultiPart::alternative()
        .boundary(format!("hallpass-{}", mail.id))
        .singlepart(part(ContentType::TEXT_PLAIN, &mail.text))
        .singlepart(part(ContentType::TEXT_HTML, &mail.html));
    let from = mail.from.name.as_deref().map(on_one_line);
    let message = Message::builder()
        .message_id(Some(format!("<{}@{}>", mail.id, mail.host)))
        .date(SystemTime::from(mail.date))
        .from(Mailbox::new(from, address(&mail.from.address)?))
        .to(Mailbox::new(None, address(&mail.to)?))
        .subject(on_one_line(&mail.subject))
        .raw_header(HeaderValue::new(
            AUTO_SUBMITTED,
            "auto-generated".to_owned(),
        ))
        .multipart(parts)
        .map_err(|error| SendFailure::Permanent(format!("no mail can be made of it: {error}")))?;
    Ok(message.formatted())
}

/// Lines end as mail wants them, whoever wrote the template.
fn part(content_type: ContentType, text: &str) -> SinglePart {
    let lines: Vec<&str> = text.lines().collect();
    SinglePart::builder()
        .header(content_type)
        .body(lines.join("\r\n"))
}

/// A line break would be the end of a header and the beginning of another.
fn on_one_line(value: &str) -> String {
    value
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

pub(super) fn address(email: &Email) -> Result<Address, SendFailure> {
    let refused = "an address that is none";
    email
        .as_str()
        .parse()
        .map_err(|_| SendFailure::Permanent(refused.to_owned()))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::domain::MailSender;
    use crate::domain::ids::EmailId;

    fn mail() -> Mail {
        Mail {
            id: EmailId::new(DateTime::UNIX_EPOCH, [7; 10]),
            host: "app.example".to_owned(),
            date: DateTime::UNIX_EPOCH,
            from: MailSender {
                name: Some("Hallpass".to_owned()),
                address: Email::parse("no-reply@acme.example").unwrap(),
            },
            to: Email::parse("ada@acme.example").unwrap(),
            subject: "Hello".to_owned(),
            text: "Good\nday\n".to_owned(),
            html: "<p>Good day</p>\n".to_owned(),
        }
    }

    fn headers(mail: &Mail) -> Vec<String> {
        let text = String::from_utf8(written(mail).unwrap()).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        head.replace("\r\n ", " ")
            .split("\r\n")
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn a_mail_has_these_headers_and_no_others() {
        let mut headers = headers(&mail());
        headers.sort();
        let boundary = format!("hallpass-{}", mail().id);
        assert_eq!(
            headers,
            [
                "Auto-Submitted: auto-generated".to_owned(),
                format!("Content-Type: multipart/alternative; boundary=\"{boundary}\""),
                "Date: Thu, 01 Jan 1970 00:00:00 +0000".to_owned(),
                "From: Hallpass <no-reply@acme.example>".to_owned(),
                "MIME-Version: 1.0".to_owned(),
                format!("Message-ID: <{}@app.example>", mail().id),
                "Subject: Hello".to_owned(),
                "To: ada@acme.example".to_owned(),
            ]
        );
    }

    #[test]
    fn no_value_becomes_a_header() {
        let names = |mail: &Mail| -> Vec<String> {
            headers(mail)
                .iter()
                .map(|header| header.split(':').next().unwrap().to_owned())
                .collect()
        };
        let usual = names(&mail());
        for evil in [
            "a\r\nBcc: eve@evil.example",
            "a\nBcc: eve@evil.example",
            "a\rBcc: eve@evil.example",
            "a\r\n\r\n<p>evil</p>",
            "=?utf-8?q?a=0D=0ABcc:_eve@evil.example?=",
            "ä\r\nBcc: eve@evil.example",
            "\u{85}Bcc: eve@evil.example\0",
        ] {
            let mut mail = mail();
            mail.subject = evil.to_owned();
            assert_eq!(names(&mail), usual, "{evil:?}");
            mail.from.name = Some(evil.to_owned());
            assert_eq!(names(&mail), usual, "{evil:?}");
        }
    }

    #[test]
    fn every_address_we_accept_can_be_written_to() {
        let mut mail = mail();
        for address in [
            "o'neil+a=b@sub.acme.example",
            "a.b!#$%&*/?^_`{|}~-@acme.example",
        ] {
            mail.to = Email::parse(address).unwrap();
            let to = format!("To: {address}");
            assert!(headers(&mail).contains(&to), "{:?}", headers(&mail));
        }
    }

    #[test]
    fn long_and_foreign_text_stays_within_what_every_server_takes() {
        let mut mail = mail();
        mail.subject = "ö".repeat(200);
        mail.text = format!("{}\n.\n{}", "x".repeat(3000), "日本語");
        let written = written(&mail).unwrap();
        assert!(written.is_ascii());
        let written = String::from_utf8(written).unwrap();
        assert!(written.split("\r\n").all(|line| line.len() <= 998));
        assert!(!written.replace("\r\n", "").contains(['\r', '\n']));
    }
}
