//! The templates of all e-mails, checked at start, so that none fails when its e-mail is sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::value::Value;
use minijinja::{Environment, HtmlEscape, UndefinedBehavior};

use super::samples::samples;
use super::template_context::{TemplateContext, template_context};
use super::wrap::wrap;
use super::{Branding, Rendered};
use crate::domain::{Email, EmailMessage};
use crate::texts::Texts;

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("templates/", $name)))),+]
    };
}

/// Every e-mail is a `.txt`, whose first line is `Subject: …`, and an `.html`; they share the rest.
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
    "slack_link_changed.txt",
    "slack_link_changed.html",
    "api_token_created.txt",
    "api_token_created.html",
    "new_sign_in.txt",
    "new_sign_in.html",
    "invitation.txt",
    "invitation.html",
    "layout.html",
    "button.html",
    "link.txt",
    "footer.txt",
];

/// Begins the text form; the rest of that line is the subject.
const SUBJECT: &str = "Subject:";

/// In characters; mail programs show fewer (RFC 5322 §2.1.1 recommends 78 per line).
const MAX_SUBJECT: usize = 200;

/// What is wrong with a template: its file, the line if it is known, and why.
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
    /// The files that an operator can replace.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|&(name, _)| name)
    }

    pub fn built_in() -> Result<Self, TemplateFault> {
        Self::with_own(BTreeMap::new()).map_err(|mut faults| faults.remove(0))
    }

    /// The built-in templates, except where `own` has one of the same name.
    ///
    /// # Errors
    /// All faults at once: every e-mail is rendered, so an unknown variable is found as well.
    pub fn with_own(own: BTreeMap<&'static str, String>) -> Result<Self, Vec<TemplateFault>> {
        let mut environment = Texts::english().environment();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_filter("bold", bold);
        environment.add_filter("wrap", wrap);
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
    /// When an operator's template cannot show this e-mail.
    pub fn render(
        &self,
        message: &EmailMessage,
        branding: &Branding<'_>,
    ) -> Result<Rendered, TemplateFault> {
        let mut context = template_context(message, branding);
        let name = format!("{}.txt", message.kind());
        let whole = self.render_file(&name, &context)?;
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
        context.insert("subject", subject.as_str().into());
        let html = self.render_file(&format!("{}.html", message.kind()), &context)?;
        Ok(Rendered {
            text: format!("{text}\n"),
            html,
            subject,
        })
    }

    /// minijinja escapes in `.html` and not in `.txt`, by the end of the name.
    fn render_file(&self, name: &str, context: &TemplateContext) -> Result<String, TemplateFault> {
        self.0
            .get_template(name)
            .and_then(|template| template.render(context))
            .map_err(|error| fault(name, &error))
    }

    fn try_all(&self) -> Vec<TemplateFault> {
        let recipient = Email::from_stored("ada@example.com".to_owned());
        let Ok(app_url) = "https://app.example.com".parse() else {
            return Vec::new();
        };
        let branding = Branding {
            recipient: &recipient,
            app_url: &app_url,
            sender: "Hallpass",
        };
        let mut faults: Vec<TemplateFault> = samples()
            .iter()
            .filter_map(|message| self.render(message, &branding).err())
            .collect();
        faults.dedup();
        faults
    }
}

/// Only for `.html`, where it keeps the value from being escaped a second time.
fn bold(value: &str) -> Value {
    Value::from_safe_string(format!("<b>{}</b>", HtmlEscape(value)))
}

/// The fault may be in a file that `name` includes.
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

    fn rendered(message: &EmailMessage) -> Rendered {
        let templates = Templates::built_in().unwrap();
        render(&templates, message).unwrap()
    }

    fn render(templates: &Templates, message: &EmailMessage) -> Result<Rendered, TemplateFault> {
        templates.render(
            message,
            &Branding {
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
    fn an_email_reads_like_this() {
        let message = rendered(&verify("Ada Lovelace"));
        assert_eq!(message.subject, "Confirm your e-mail address");
        assert_eq!(
            message.text,
            "Hello Ada Lovelace,\n\
             \n\
             Please confirm that this is your e-mail address.\n\
             \n\
             Confirm my address:\n\
             \n\
             https://app.example/id/verify-email?token=tok_en-1\n\
             \n\
             This link is valid for 24 hours and can be used once.\n\
             \n\
             If you do not have an account with us, someone has probably mistyped their\n\
             address. Please ignore this e-mail, and the address stays unverified.\n\
             \n\
             --\n\
             Sent to ada@acme.example by Acme ID. Replies are not read.\n"
        );
    }

    #[test]
    fn both_forms_of_an_email_have_its_link_and_say_how_long_it_is_valid() {
        for message in samples() {
            let Rendered {
                subject,
                text,
                html,
            } = rendered(&message);
            assert!(
                !subject.is_empty() && !subject.contains('\n'),
                "{message:?}"
            );
            for form in [&text, &html] {
                assert!(form.contains("Acme ID"), "{form}");
                let has_link = serde_json::to_value(&message).unwrap()["token"].is_string();
                assert_eq!(form.contains("https://app.example/id/"), has_link, "{form}");
                assert_eq!(form.contains("valid for "), has_link, "{form}");
                assert!(!form.contains("{{") && !form.contains("{%"), "{form}");
            }
            let is_short = |line: &str| line.len() <= 80 || line.starts_with("https://");
            assert!(text.lines().all(is_short), "{text}");
            assert!(!text.contains("\n\n\n"), "{text}");
        }
    }

    #[test]
    fn no_email_loads_anything() {
        for message in samples() {
            let html = rendered(&message).html;
            for foreign in ["src=", "<link", "<script", "@import", "url(", "http://"] {
                assert!(!html.contains(foreign), "{foreign} is in {html}");
            }
            let ours = html.matches("https://app.example/id/").count();
            assert_eq!(html.matches("https://").count(), ours, "{html}");
        }
    }

    #[test]
    fn a_name_is_never_markup() {
        let evil = "<b>{{7*7}}<i>{% raw %}\r\nBcc: eve@evil.example\u{202e}";
        for message in [
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
            } = rendered(&message);
            assert!(!html.contains("<b>{{"), "{html}");
            assert!(html.contains("&lt;b&gt;{{7*7}}&lt;"), "{html}");
            assert!(text.contains("<b>{{7*7}}<i>{% raw %}"), "{text}");
            for form in [&subject, &text, &html] {
                assert!(!form.contains('\r') && !form.contains('\u{202e}'));
                assert!(!form.contains("49") && !form.contains("eve@evil.example"));
            }
        }
    }

    #[test]
    fn a_device_is_neither_markup_nor_a_link() {
        for (stored, shown) in [
            ("curl 7.88", "curl 7.88"),
            ("https://evil.example/x\u{202e}", "https"),
            ("me@evil.example", "me evil example"),
            ("<b>Win</b>", "b Win"),
        ] {
            let message = EmailMessage::NewSignIn {
                name: "Ada".to_owned(),
                device: Some(stored.to_owned()),
                address: None,
                at: chrono::DateTime::UNIX_EPOCH,
                token: "token".to_owned(),
            };
            let Rendered { text, html, .. } = rendered(&message);
            assert!(text.contains(&format!("Device: {shown}\n")), "{text}");
            assert!(html.contains(&format!(">{shown}</td>")), "{html}");
        }
    }

    #[test]
    fn a_subject_is_short_and_on_one_line() {
        let message = EmailMessage::Invitation {
            organization: "x y\n".repeat(300),
            inviter: None,
            role: Role::Manager,
            token: "token".to_owned(),
        };
        let Rendered { subject, .. } = rendered(&message);
        assert_eq!(subject.chars().count(), MAX_SUBJECT);
        assert!(!subject.contains('\n'));
    }

    #[test]
    fn an_operators_template_replaces_the_built_in_one() {
        let templates = own(
            "verify_email.txt",
            "Subject: Willkommen, {{ name }}\n\n{{ link }} gilt {{ good_for }}.",
        )
        .unwrap();
        let message = render(&templates, &verify("Ada")).unwrap();
        assert_eq!(message.subject, "Willkommen, Ada");
        assert_eq!(
            message.text,
            "https://app.example/id/verify-email?token=tok_en-1 gilt 24 hours.\n"
        );
        assert!(message.html.contains("<title>Willkommen, Ada</title>"));
        let other = EmailMessage::PasswordChanged {
            name: "Ada".into(),
            token: None,
            detached_slack: false,
            left_organizations: false,
        };
        let other = render(&templates, &other).unwrap();
        assert_eq!(other.subject, "Your password has been changed");
    }

    #[test]
    fn a_broken_template_is_named_with_its_line() {
        for (file, source, line, why) in [
            ("verify_email.txt", "Subject: x\n\n{{ name", 3, "syntax"),
            ("verify_email.html", "a\n{{ nmae }}", 2, "undefined"),
            ("layout.html", "\n\n{% include 'nothing.html' %}", 3, "not"),
            ("reset_password.txt", "Hello", 1, "Subject:"),
            // An e-mail without a link.
            ("email_changed.html", "\n{{ link }}", 2, "undefined"),
        ] {
            let faults = own(file, source).unwrap_err();
            let fault = &faults[0];
            assert_eq!((&*fault.file, fault.line), (file, Some(line)), "{fault}");
            assert!(fault.why.contains(why), "{fault}");
        }
    }
}
