//! A letter of each kind, with everything it can hold and with as little as it can.

use std::net::{IpAddr, Ipv4Addr};

use chrono::DateTime;

use crate::domain::{Letter, Role};

pub fn samples() -> Vec<Letter> {
    let (name, token) = (|| "Ada Lovelace".to_owned(), || "A".repeat(43));
    let sign_in = |device, address| Letter::NewSignIn {
        name: name(),
        device,
        address,
        at: DateTime::UNIX_EPOCH,
        token: token(),
    };
    let password_changed = |token| Letter::PasswordChanged {
        name: name(),
        token,
    };
    let invitation = |inviter| Letter::Invitation {
        organization: "Analytical Engines".to_owned(),
        inviter,
        role: Role::Employee,
        token: token(),
    };
    vec![
        Letter::VerifyEmail {
            name: name(),
            token: token(),
        },
        Letter::ResetPassword {
            name: name(),
            token: token(),
        },
        Letter::ConfirmNewEmail {
            name: name(),
            token: token(),
        },
        Letter::EmailChanged {
            name: name(),
            new_email: "ada@example.com".to_owned(),
        },
        password_changed(Some(token())),
        password_changed(None),
        Letter::MfaChanged {
            name: name(),
            enabled: true,
        },
        Letter::MfaChanged {
            name: name(),
            enabled: false,
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
