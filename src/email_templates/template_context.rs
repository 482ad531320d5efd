//! What templates are filled with.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use minijinja::Value;
use url::Url;
use url::form_urlencoded;

use super::tame::tame;
use crate::domain::{Email, EmailMessage, lifetimes};

/// What a letter needs to know beside its own matter.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    pub recipient: &'a Email,
    /// Where links point.
    pub app_url: &'a Url,
    /// The name mails are sent under.
    pub sender: &'a str,
}

/// The values by their names in templates. All are text; what a letter has not, is empty.
pub type Filling = BTreeMap<&'static str, Value>;

/// `docs/mail.md` lists these names for the operators who write templates.
pub fn filling(letter: &EmailMessage, surroundings: &Surroundings<'_>) -> Filling {
    let mut filling = Filling::from([
        ("recipient", surroundings.recipient.as_str().into()),
        ("sender", surroundings.sender.into()),
        (
            "app_url",
            Value::from_safe_string(base(surroundings.app_url)),
        ),
        ("app_host", host(surroundings.app_url).into()),
    ]);
    filling.extend(own(letter));
    if let Some((path, token, lifetime)) = link(letter) {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token)
            .finish();
        let link = format!("{}/{path}?{query}", base(surroundings.app_url));
        filling.extend([
            ("link", Value::from_safe_string(link)),
            ("good_for", in_words(lifetime).into()),
        ]);
    }
    filling
}

/// The page a letter's link leads to, its token, and how long it is good.
fn link(letter: &EmailMessage) -> Option<(&'static str, &str, TimeDelta)> {
    match letter {
        EmailMessage::VerifyEmail { token, .. } => {
            Some(("verify-email", token, lifetimes::VERIFICATION_LINK))
        }
        EmailMessage::ResetPassword { token, .. } => {
            Some(("reset-password", token, lifetimes::RESET_LINK))
        }
        EmailMessage::ConfirmNewEmail { token, .. } => {
            Some(("change-email", token, lifetimes::VERIFICATION_LINK))
        }
        EmailMessage::NewSignIn { token, .. }
        | EmailMessage::PasswordChanged {
            token: Some(token), ..
        } => Some(("end-session", token, lifetimes::END_SESSION_LINK)),
        EmailMessage::Invitation { token, .. } => {
            Some(("accept-invitation", token, lifetimes::INVITATION))
        }
        EmailMessage::EmailChanged { .. }
        | EmailMessage::PasswordChanged { token: None, .. }
        | EmailMessage::MfaChanged { .. } => None,
    }
}

fn own(letter: &EmailMessage) -> Vec<(&'static str, Value)> {
    match letter {
        EmailMessage::VerifyEmail { name, .. }
        | EmailMessage::ResetPassword { name, .. }
        | EmailMessage::ConfirmNewEmail { name, .. } => vec![("name", tame(name).into())],
        EmailMessage::PasswordChanged { name, .. } => vec![
            ("name", tame(name).into()),
            ("link", "".into()),
            ("good_for", "".into()),
        ],
        EmailMessage::MfaChanged { name, enabled } => {
            vec![("name", tame(name).into()), ("enabled", (*enabled).into())]
        }
        EmailMessage::EmailChanged { name, new_email } => vec![
            ("name", tame(name).into()),
            // An address: short of evil, and to be copied.
            ("new_email", new_email.as_str().into()),
        ],
        EmailMessage::NewSignIn {
            name,
            device,
            address,
            at,
            ..
        } => vec![
            ("name", tame(name).into()),
            ("device", tame(device.as_deref().unwrap_or_default()).into()),
            (
                "address",
                address.map(|it| it.to_string()).unwrap_or_default().into(),
            ),
            ("at", at.format("%-d %B %Y at %H:%M UTC").to_string().into()),
        ],
        EmailMessage::Invitation {
            organization,
            inviter,
            role,
            ..
        } => vec![
            ("organization", tame(organization).into()),
            (
                "inviter",
                tame(inviter.as_deref().unwrap_or_default()).into(),
            ),
            ("role", role.as_str().into()),
        ],
    }
}

/// The URL as others continue it: without a slash at its end, and without what HTML would have to escape, so that
/// a link is to the letter the same in both forms. (It has no query, and a path keeps its meaning.)
fn base(app_url: &Url) -> String {
    let base = app_url.as_str().trim_end_matches('/');
    base.replace('&', "%26").replace('\'', "%27")
}

fn host(app_url: &Url) -> &str {
    app_url.host_str().unwrap_or_default()
}

/// In the largest unit that needs no fraction, but a day is 24 hours: people do not know when it began.
fn in_words(lifetime: TimeDelta) -> String {
    let (days, hours, minutes) = (
        lifetime.num_days(),
        lifetime.num_hours(),
        lifetime.num_minutes(),
    );
    if lifetime == TimeDelta::days(days) && days > 1 {
        format!("{days} days")
    } else if lifetime == TimeDelta::hours(hours) && hours > 1 {
        format!("{hours} hours")
    } else {
        format!("{minutes} minutes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_told_as_people_tell_it() {
        assert_eq!(in_words(lifetimes::RESET_LINK), "30 minutes");
        assert_eq!(in_words(lifetimes::VERIFICATION_LINK), "24 hours");
        assert_eq!(in_words(lifetimes::INVITATION), "7 days");
        assert_eq!(in_words(TimeDelta::minutes(60)), "60 minutes");
    }

    #[test]
    fn a_link_continues_the_url_of_the_application() {
        let recipient = Email::parse("ada@example.com").unwrap();
        let letter = EmailMessage::ResetPassword {
            name: "Ada".into(),
            token: "a-b_c&d".into(),
        };
        for (app_url, link) in [
            (
                "https://app.example.com",
                "https://app.example.com/reset-password?token=a-b_c%26d",
            ),
            (
                "https://example.com/a'&b/",
                "https://example.com/a%27%26b/reset-password?token=a-b_c%26d",
            ),
        ] {
            let filling = filling(
                &letter,
                &Surroundings {
                    recipient: &recipient,
                    app_url: &app_url.parse().unwrap(),
                    sender: "Hallpass",
                },
            );
            assert_eq!(filling["link"].as_str(), Some(link));
        }
    }
}
