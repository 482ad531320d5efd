//! Gates: what a proxy is told about a visitor, whatever the visitor sends.

mod admission;
mod proxies;
mod sign_in;
mod sockets;

use reqwest::Method;

use crate::support::client::Call;
use crate::support::{Answer, Browser, TestApp};

pub const VERIFY: &str = "/api/auth/verify";
pub const OR_SIGN_IN: &str = "/api/auth/verify-or-sign-in";
pub const GATES: [&str; 2] = [VERIFY, OR_SIGN_IN];

pub const IDENTITY: [&str; 6] = [
    "remote-user",
    "remote-email",
    "remote-name",
    "remote-groups",
    "x-hallpass-organization",
    "x-hallpass-session",
];

/// As a proxy asks for a visitor who sends this method.
pub fn asks(app: &TestApp, method: &str) -> Call {
    app.client
        .call(method.parse::<Method>().unwrap(), VERIFY)
        .header("x-forwarded-method", method)
}

/// The values of [`IDENTITY`] in an answer that lets the visitor pass.
#[track_caller]
pub fn identity(answer: &Answer) -> [String; 6] {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.body.is_empty());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    IDENTITY.map(|name| {
        let mut values = answer.headers.get_all(name).iter();
        let value = values.next().unwrap().to_str().unwrap();
        assert!(!value.is_empty() && values.next().is_none(), "{name}");
        value.to_owned()
    })
}

/// A browser in which this person is signed in.
pub async fn browser_of(app: &TestApp, email: &str) -> Browser {
    let browser = Browser::new(app);
    let signed_in = browser.signs_in(email, crate::support::PASSWORD).await;
    signed_in.expect(200);
    browser
}
