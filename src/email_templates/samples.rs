//! An e-mail of each kind, with all it can hold and with as little as it can.

use std::net::{IpAddr, Ipv4Addr};

use chrono::DateTime;

use crate::domain::{EmailMessage, Role};

pub(super) fn samples() -> Vec<EmailMessage> {
    let (name, token) = (|| "Ada Lovelace".to_owned(), || "A".repeat(43));
    let sign_in = |device, address| EmailMessage::NewSignIn {
        name: name(),
        device,
        address,
        at: DateTime::UNIX_EPOCH,
        token: token(),
    };
    let password_changed = |token: Option<String>| EmailMessage::PasswordChanged {
        name: name(),
        detached_slack: token.is_none(),
        left_organizations: token.is_none(),
        token,
    };
    let mfa_changed = |enabled, token| EmailMessage::MfaChanged {
        name: name(),
        enabled,
        token,
    };
    let slack_link_changed = |linked| EmailMessage::SlackLinkChanged {
        name: name(),
        linked,
    };
    let invitation = |inviter| EmailMessage::Invitation {
        organization: "Analytical Engines".to_owned(),
        inviter,
        role: Role::Employee,
        token: token(),
    };
    vec![
        EmailMessage::VerifyEmail {
            name: name(),
            token: token(),
        },
        EmailMessage::ResetPassword {
            name: name(),
            token: token(),
        },
        EmailMessage::ConfirmNewEmail {
            name: name(),
            token: token(),
        },
        EmailMessage::EmailChanged {
            name: name(),
            new_email: "ada@example.com".to_owned(),
        },
        password_changed(Some(token())),
        password_changed(None),
        mfa_changed(true, Some(token())),
        mfa_changed(true, None),
        mfa_changed(false, None),
        slack_link_changed(true),
        slack_link_changed(false),
        EmailMessage::ApiTokenCreated {
            name: name(),
            token_name: "nightly export".to_owned(),
            role: Role::Employee,
            token: token(),
        },
        sign_in(
            Some("Firefox on Linux".to_owned()),
            Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        ),
        sign_in(None, None),
        invitation(Some(name())),
        invitation(None),
    ]
}
