//! The wire format of an e-mail (RFC 5322, MIME).

use std::time::SystemTime;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

use crate::domain::Email;
use crate::ports::mailer::{Mail, SendFailure};

/// Suppresses automatic replies (RFC 3834 §5).
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// The bytes sent to the server: text and HTML, the preferred form last.
///
/// # Errors
/// `Permanent` for invalid addresses; nothing else can fail.
pub fn written(mail: &Mail) -> Result<Vec<u8>, SendFailure> {
    // Whoever can put text into an e-mail does not know its id, so they cannot forge the boundary.
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
        .map_err(|error| SendFailure::Permanent(format!("the e-mail cannot be built: {error}")))?;
    Ok(message.formatted())
}

/// Ends lines with CRLF, whatever the template uses.
fn part(content_type: ContentType, text: &str) -> SinglePart {
    let lines: Vec<&str> = text.lines().collect();
    SinglePart::builder()
        .header(content_type)
        .body(lines.join("\r\n"))
}

/// Prevents header injection by line breaks.
fn on_one_line(value: &str) -> String {
    value
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

pub(super) fn address(email: &Email) -> Result<Address, SendFailure> {
    let why = "the e-mail address is invalid";
    email
        .as_str()
        .parse()
        .map_err(|_| SendFailure::Permanent(why.to_owned()))
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
    fn an_email_has_exactly_these_headers() {
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
    fn no_value_can_inject_a_header() {
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
    fn every_accepted_address_can_be_a_recipient() {
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
    fn long_and_non_ascii_text_is_encoded_for_every_server() {
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
