//! The variables of templates.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use minijinja::Value;
use url::Url;
use url::form_urlencoded;

use super::sanitize_display_name::sanitize_display_name;
use crate::domain::{Email, EmailMessage, device, lifetimes};
use crate::texts::Texts;

/// What every e-mail shows: to whom it goes, and who sends it.
#[derive(Debug, Clone, Copy)]
pub struct Branding<'a> {
    pub recipient: &'a Email,
    /// Where links point.
    pub app_url: &'a Url,
    /// The sender's display name.
    pub sender: &'a str,
}

/// Values by name. An optional value that is missing is an empty text.
pub(super) type TemplateContext = BTreeMap<&'static str, Value>;

/// `docs/mail.md` lists these names for operators who write templates.
pub(super) fn template_context(message: &EmailMessage, branding: &Branding<'_>) -> TemplateContext {
    let mut context = TemplateContext::from([
        ("recipient", branding.recipient.as_str().into()),
        ("sender", branding.sender.into()),
        ("app_url", Value::from_safe_string(base(branding.app_url))),
        ("app_host", host(branding.app_url).into()),
    ]);
    context.extend(own(message));
    if let Some((path, token, lifetime)) = link(message) {
        let link = page_url(branding.app_url, path, token);
        context.extend([
            ("link", Value::from_safe_string(link)),
            ("good_for", in_words(lifetime).into()),
        ]);
    }
    context
}

/// The path of the page that sets a new password.
pub const RESET_PASSWORD: &str = "reset-password";
/// The path of the page that accepts an invitation.
pub const ACCEPT_INVITATION: &str = "accept-invitation";

/// The address of the page at `path` that takes a token.
pub fn page_url(app_url: &Url, path: &str, token: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("token", token)
        .finish();
    format!("{}/{path}?{query}", base(app_url))
}

/// The page that the link leads to, its token, and how long it is valid.
fn link(message: &EmailMessage) -> Option<(&'static str, &str, TimeDelta)> {
    match message {
        EmailMessage::VerifyEmail { token, .. } => {
            Some(("verify-email", token, lifetimes::VERIFICATION_LINK))
        }
        EmailMessage::ResetPassword { token, .. } => {
            Some((RESET_PASSWORD, token, lifetimes::RESET_LINK))
        }
        EmailMessage::ConfirmNewEmail { token, .. } => {
            Some(("change-email", token, lifetimes::VERIFICATION_LINK))
        }
        EmailMessage::NewSignIn { token, .. }
        | EmailMessage::PasswordChanged {
            token: Some(token), ..
        } => Some(("end-session", token, lifetimes::END_SESSION_LINK)),
        EmailMessage::ApiTokenCreated { token, .. }
        | EmailMessage::MfaChanged {
            token: Some(token), ..
        } => Some(("undo", token, lifetimes::UNDO_LINK)),
        EmailMessage::Invitation { token, .. } => {
            Some((ACCEPT_INVITATION, token, lifetimes::INVITATION))
        }
        EmailMessage::EmailChanged { .. }
        | EmailMessage::SlackLinkChanged { .. }
        | EmailMessage::PasswordChanged { token: None, .. }
        | EmailMessage::MfaChanged { token: None, .. } => None,
    }
}

fn own(message: &EmailMessage) -> Vec<(&'static str, Value)> {
    match message {
        EmailMessage::VerifyEmail { name, .. }
        | EmailMessage::ResetPassword { name, .. }
        | EmailMessage::ConfirmNewEmail { name, .. } => {
            vec![("name", sanitize_display_name(name).into())]
        }
        EmailMessage::PasswordChanged {
            name,
            detached_slack,
            left_organizations,
            ..
        } => vec![
            ("name", sanitize_display_name(name).into()),
            ("detached_slack", (*detached_slack).into()),
            ("left_organizations", (*left_organizations).into()),
            ("link", "".into()),
            ("good_for", "".into()),
        ],
        EmailMessage::MfaChanged { name, enabled, .. } => vec![
            ("name", sanitize_display_name(name).into()),
            ("enabled", (*enabled).into()),
            ("link", "".into()),
            ("good_for", "".into()),
        ],
        EmailMessage::SlackLinkChanged { name, linked } => vec![
            ("name", sanitize_display_name(name).into()),
            ("linked", (*linked).into()),
        ],
        EmailMessage::ApiTokenCreated {
            name,
            token_name,
            role,
            ..
        } => vec![
            ("name", sanitize_display_name(name).into()),
            ("token_name", sanitize_display_name(token_name).into()),
            ("role", role.as_str().into()),
        ],
        EmailMessage::EmailChanged { name, new_email } => vec![
            ("name", sanitize_display_name(name).into()),
            // An address is already parsed, and people may want to copy it.
            ("new_email", new_email.as_str().into()),
        ],
        EmailMessage::NewSignIn {
            name,
            device,
            address,
            at,
            ..
        } => vec![
            ("name", sanitize_display_name(name).into()),
            (
                "device",
                // No link as it is; an e-mail that an earlier version queued has the User-Agent itself.
                device
                    .clone()
                    .and_then(device::stored)
                    .unwrap_or_default()
                    .into(),
            ),
            (
                "address",
                address.map(|it| it.to_string()).unwrap_or_default().into(),
            ),
            ("at", time_in_words(*at).into()),
        ],
        EmailMessage::Invitation {
            organization,
            inviter,
            role,
            ..
        } => vec![
            ("organization", sanitize_display_name(organization).into()),
            (
                "inviter",
                sanitize_display_name(inviter.as_deref().unwrap_or_default()).into(),
            ),
            ("role", role.as_str().into()),
        ],
    }
}

/// The URL as a prefix of links: without a slash at its end, and without characters that HTML has to escape, so that
/// the link is the same in both forms of the e-mail. (It has no query, and its path keeps its meaning.)
fn base(app_url: &Url) -> String {
    let base = app_url.as_str().trim_end_matches('/');
    base.replace('&', "%26").replace('\'', "%27")
}

fn host(app_url: &Url) -> &str {
    app_url.host_str().unwrap_or_default()
}

/// In the largest unit without a fraction, but one day is 24 hours: people do not know at which hour it began.
fn in_words(lifetime: TimeDelta) -> String {
    let (days, hours, minutes) = (
        lifetime.num_days(),
        lifetime.num_hours(),
        lifetime.num_minutes(),
    );
    let (key, count) = if lifetime == TimeDelta::days(days) && days > 1 {
        ("email.days", days)
    } else if lifetime == TimeDelta::hours(hours) && hours > 1 {
        ("email.hours", hours)
    } else {
        ("email.minutes", minutes)
    };
    Texts::english().plain(key, &[("count", &count.to_string())])
}

fn time_in_words(at: DateTime<Utc>) -> String {
    let texts = Texts::english();
    let months = texts.plain("email.months", &[]);
    let month = months.split(' ').nth(at.month0() as usize);
    let values = [
        ("day", &*at.day().to_string()),
        ("month", month.unwrap_or_default()),
        ("year", &at.year().to_string()),
        ("time", &at.format("%H:%M").to_string()),
    ];
    texts.plain("email.at", &values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_shown_in_its_largest_unit() {
        assert_eq!(in_words(lifetimes::RESET_LINK), "30 minutes");
        assert_eq!(in_words(lifetimes::VERIFICATION_LINK), "24 hours");
        assert_eq!(in_words(lifetimes::INVITATION), "7 days");
        assert_eq!(in_words(TimeDelta::minutes(60)), "60 minutes");
    }

    #[test]
    fn a_time_is_shown_with_the_name_of_its_month() {
        let christmas = "2026-12-24T18:30:59Z".parse().unwrap();
        assert_eq!(time_in_words(christmas), "24 December 2026 at 18:30 UTC");
    }

    #[test]
    fn a_link_continues_the_url_of_the_application() {
        let recipient = Email::parse("ada@example.com").unwrap();
        let message = EmailMessage::ResetPassword {
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
            let context = template_context(
                &message,
                &Branding {
                    recipient: &recipient,
                    app_url: &app_url.parse().unwrap(),
                    sender: "Hallpass",
                },
            );
            assert_eq!(context["link"].as_str(), Some(link));
        }
    }
}
