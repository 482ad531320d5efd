//! The templates of all letters, checked once, so that none fails when its letter is to be sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::{Environment, UndefinedBehavior};

use super::filling::{Filling, filling};
use super::samples::samples;
use super::{Rendered, Surroundings};
use crate::domain::{Email, EmailMessage};

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("templates/", $name)))),+]
    };
}

/// Every letter is a `.txt`, whose first line is `Subject: …`, and an `.html`; the rest is what they share.
const BUILT_IN: &[(&str, &str)] = built_in![
    "verify_email.txt",
    "verify_email.html",
    "reset_password.txt",
    "reset_password.html",
    "confirm_new_email.txt",
    "confirm_new_email.html",
    "email_changed.txt",
    "email_changed.html",
    "password_changed.txt",
    "password_changed.html",
    "mfa_changed.txt",
    "mfa_changed.html",
    "new_sign_in.txt",
    "new_sign_in.html",
    "invitation.txt",
    "invitation.html",
    "layout.html",
    "button.html",
    "footer.txt",
];

/// What begins a text; the rest of that line is the subject.
const SUBJECT: &str = "Subject:";

/// In characters: what mail programs show of a subject is less (RFC 5322 §2.1.1 recommends 78 a line).
const MAX_SUBJECT: usize = 200;

/// What is wrong with a template: the name of its file, the line if that is known, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {why}", .file, .line.map(|line| format!(" line {line}")).unwrap_or_default())]
pub struct TemplateFault {
    pub file: String,
    pub line: Option<usize>,
    pub why: String,
}

/// A clone is another handle to the same templates.
#[derive(Debug, Clone)]
pub struct Templates(Arc<Environment<'static>>);

impl Templates {
    /// The names of the files that can be replaced.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|&(name, _)| name)
    }

    pub fn built_in() -> Result<Self, TemplateFault> {
        Self::with_own(BTreeMap::new()).map_err(|mut faults| faults.remove(0))
    }

    /// Those that are built in, less the ones an operator has of the same name.
    ///
    /// # Errors
    /// Everything that is wrong: each letter is rendered once, so a name that no letter fills is found as well.
    pub fn with_own(own: BTreeMap<&'static str, String>) -> Result<Self, Vec<TemplateFault>> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        let mut faults = Vec::new();
        for &(name, built_in) in BUILT_IN {
            let source = own
                .get(name)
                .cloned()
                .unwrap_or_else(|| built_in.to_owned());
            if let Err(error) = environment.add_template_owned(name, source) {
                faults.push(fault(name, &error));
            }
        }
        let templates = Self(Arc::new(environment));
        if faults.is_empty() {
            faults = templates.try_all();
        }
        if faults.is_empty() {
            Ok(templates)
        } else {
            Err(faults)
        }
    }

    /// # Errors
    /// When an operator's template cannot take what this letter holds.
    pub fn render(
        &self,
        letter: &EmailMessage,
        surroundings: &Surroundings<'_>,
    ) -> Result<Rendered, TemplateFault> {
        let mut filling = filling(letter, surroundings);
        let name = format!("{}.txt", letter.kind());
        let whole = self.fill(&name, &filling)?;
        let first = whole.lines().next().unwrap_or_default();
        let Some(subject) = first.strip_prefix(SUBJECT) else {
            return Err(TemplateFault {
                file: name,
                line: Some(1),
                why: format!("it does not begin with a line \"{SUBJECT} …\""),
            });
        };
        let words: Vec<&str> = subject.split_whitespace().collect();
        let subject: String = words.join(" ").chars().take(MAX_SUBJECT).collect();
        let text = whole.get(first.len()..).unwrap_or_default().trim();
        filling.insert("subject", subject.as_str().into());
        let html = self.fill(&format!("{}.html", letter.kind()), &filling)?;
        Ok(Rendered {
            text: format!("{text}\n"),
            html,
            subject,
        })
    }

    /// By its name's end, minijinja escapes in `.html` and not in `.txt`.
    fn fill(&self, name: &str, filling: &Filling) -> Result<String, TemplateFault> {
        self.0
            .get_template(name)
            .and_then(|template| template.render(filling))
            .map_err(|error| fault(name, &error))
    }

    fn try_all(&self) -> Vec<TemplateFault> {
        let recipient = Email::from_stored("ada@example.com".to_owned());
        let Ok(app_url) = "https://app.example.com".parse() else {
            return Vec::new();
        };
        let surroundings = Surroundings {
            recipient: &recipient,
            app_url: &app_url,
            sender: "Hallpass",
        };
        let mut faults: Vec<TemplateFault> = samples()
            .iter()
            .filter_map(|letter| self.render(letter, &surroundings).err())
            .collect();
        faults.dedup();
        faults
    }
}

/// `name` is what was asked for; what is wrong may be in a file that it includes.
fn fault(name: &str, error: &minijinja::Error) -> TemplateFault {
    let mut deepest = error;
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(cause) = cause.downcast_ref::<minijinja::Error>() {
            deepest = cause;
        }
        source = cause.source();
    }
    let why = match deepest.detail() {
        Some(detail) => format!("{}: {detail}", deepest.kind()),
        None => deepest.kind().to_string(),
    };
    TemplateFault {
        file: deepest.name().unwrap_or(name).to_owned(),
        line: deepest.line(),
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Role;

    fn rendered(letter: &EmailMessage) -> Rendered {
        let templates = Templates::built_in().unwrap();
        render(&templates, letter).unwrap()
    }

    fn render(templates: &Templates, letter: &EmailMessage) -> Result<Rendered, TemplateFault> {
        templates.render(
            letter,
            &Surroundings {
                recipient: &Email::parse("ada@acme.example").unwrap(),
                app_url: &"https://app.example/id".parse().unwrap(),
                sender: "Acme ID",
            },
        )
    }

    fn verify(name: &str) -> EmailMessage {
        EmailMessage::VerifyEmail {
            name: name.to_owned(),
            token: "tok_en-1".to_owned(),
        }
    }

    fn own(file: &'static str, source: &str) -> Result<Templates, Vec<TemplateFault>> {
        Templates::with_own(BTreeMap::from([(file, source.to_owned())]))
    }

    #[test]
    fn a_letter_reads_like_this() {
        let letter = rendered(&verify("Ada Lovelace"));
        assert_eq!(letter.subject, "Confirm your e-mail address");
        assert_eq!(
            letter.text,
            "Hello Ada Lovelace,\n\
             \n\
             Please confirm that this is your e-mail address:\n\
             \n\
             https://app.example/id/verify-email?token=tok_en-1\n\
             \n\
             The link is good for 24 hours.\n\
             \n\
             If you have no account with us, somebody has mistyped their address. Please\n\
             ignore this mail: unless you confirm, the address counts as nobody's.\n\
             \n\
             --\n\
             Sent to ada@acme.example by Acme ID. Replies are not read.\n"
        );
    }

    #[test]
    fn every_letter_has_its_link_in_both_forms_and_says_how_long_it_is_good() {
        for letter in samples() {
            let Rendered {
                subject,
                text,
                html,
            } = rendered(&letter);
            assert!(!subject.is_empty() && !subject.contains('\n'), "{letter:?}");
            for form in [&text, &html] {
                assert!(form.contains("Acme ID"), "{form}");
                let has_link = serde_json::to_value(&letter).unwrap()["token"].is_string();
                assert_eq!(form.contains("https://app.example/id/"), has_link, "{form}");
                assert_eq!(form.contains("good for "), has_link, "{form}");
                assert!(!form.contains("{{") && !form.contains("{%"), "{form}");
            }
            let is_short = |line: &str| line.len() <= 80 || line.starts_with("https://");
            assert!(text.lines().all(is_short), "{text}");
            assert!(!text.contains("\n\n\n"), "{text}");
        }
    }

    #[test]
    fn no_letter_loads_anything() {
        for letter in samples() {
            let html = rendered(&letter).html;
            for foreign in ["src=", "<link", "<script", "@import", "url(", "http://"] {
                assert!(!html.contains(foreign), "{foreign} is in {html}");
            }
            let ours = html.matches("https://app.example/id/").count();
            assert_eq!(html.matches("https://").count(), ours, "{html}");
        }
    }

    #[test]
    fn what_is_in_a_name_is_text_and_no_more() {
        let evil = "<b>{{7*7}}<i>{% raw %}\r\nBcc: eve@evil.example\u{202e}";
        for letter in [
            verify(evil),
            EmailMessage::Invitation {
                organization: evil.to_owned(),
                inviter: Some(evil.to_owned()),
                role: Role::Admin,
                token: "token".to_owned(),
            },
        ] {
            let Rendered {
                subject,
                text,
                html,
            } = rendered(&letter);
            assert!(!html.contains("<b>{{"), "{html}");
            assert!(html.contains("&lt;b&gt;{{7*7}}&lt;"), "{html}");
            assert!(text.contains("<b>{{7*7}}<i>{% raw %}  Bcc:"), "{text}");
            for form in [&subject, &text, &html] {
                assert!(!form.contains('\r') && !form.contains('\u{202e}'));
                assert!(!form.contains("49") && !form.contains("eve@evil.example"));
            }
        }
    }

    #[test]
    fn a_subject_is_short_and_on_one_line() {
        let letter = EmailMessage::Invitation {
            organization: "x y\n".repeat(300),
            inviter: None,
            role: Role::Manager,
            token: "token".to_owned(),
        };
        let Rendered { subject, .. } = rendered(&letter);
        assert_eq!(subject.chars().count(), MAX_SUBJECT);
        assert!(!subject.contains('\n'));
    }

    #[test]
    fn an_operators_template_takes_the_place_of_ours() {
        let templates = own(
            "verify_email.txt",
            "Subject: Willkommen, {{ name }}\n\n{{ link }} gilt {{ good_for }}.",
        )
        .unwrap();
        let letter = render(&templates, &verify("Ada")).unwrap();
        assert_eq!(letter.subject, "Willkommen, Ada");
        assert_eq!(
            letter.text,
            "https://app.example/id/verify-email?token=tok_en-1 gilt 24 hours.\n"
        );
        assert!(letter.html.contains("<title>Willkommen, Ada</title>"));
        let other = EmailMessage::PasswordChanged {
            name: "Ada".into(),
            token: None,
        };
        let other = render(&templates, &other).unwrap();
        assert_eq!(other.subject, "Your password was changed");
    }

    #[test]
    fn a_broken_template_is_named_with_its_line() {
        for (file, source, line, why) in [
            ("verify_email.txt", "Subject: x\n\n{{ name", 3, "syntax"),
            ("verify_email.html", "a\n{{ nmae }}", 2, "undefined"),
            ("layout.html", "\n\n{% include 'nothing.html' %}", 3, "not"),
            ("reset_password.txt", "Hello", 1, "Subject:"),
            // A letter without a link.
            ("email_changed.html", "\n{{ link }}", 2, "undefined"),
        ] {
            let faults = own(file, source).unwrap_err();
            let fault = &faults[0];
            assert_eq!((&*fault.file, fault.line), (file, Some(line)), "{fault}");
            assert!(fault.why.contains(why), "{fault}");
        }
    }
}
