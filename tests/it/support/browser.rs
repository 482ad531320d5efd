//! A browser: it stores cookies and sends the headers of a page.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use reqwest::Method;

use super::client::{Answer, Call, Client};
use super::test_app::TestApp;

/// The origin of the page that sends the requests; the tests' `PUBLIC_URL` is `http://localhost`.
const OWN: &str = "http://localhost";

/// The session cookie's name under http.
pub const SESSION_COOKIE: &str = "next-auth.session-token";

#[derive(Clone)]
pub struct Browser {
    client: Client,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Browser {
    /// One without cookies.
    pub fn new(app: &TestApp) -> Self {
        Self {
            client: app.client.clone(),
            cookies: Arc::default(),
        }
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies
            .lock()
            .unwrap()
            .insert(name.to_owned(), value.to_owned());
    }

    /// A request with the cookies and without `Origin`.
    pub fn silent(&self, method: Method, path: &str) -> Call {
        let call = self.client.call(method, path);
        let cookies = self.cookies.lock().unwrap();
        if cookies.is_empty() {
            return call;
        }
        let pairs: Vec<String> = cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        call.header("cookie", &pairs.join("; "))
    }

    /// As a page of ours would send it.
    pub fn call(&self, method: Method, path: &str) -> Call {
        self.silent(method, path)
            .header("origin", OWN)
            .header("sec-fetch-site", "same-origin")
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.kept(self.silent(Method::GET, path).await)
    }

    /// A form of a page of ours, as the NextAuth client posts it.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let call = self.call(Method::POST, path);
        self.kept(call.form(fields).await)
    }

    /// Stores the cookies that the answer sets.
    pub fn kept(&self, answer: Answer) -> Answer {
        let mut cookies = self.cookies.lock().unwrap();
        for (name, value) in answer.set_cookies() {
            if value.is_empty() {
                cookies.remove(&name);
            } else {
                cookies.insert(name, value);
            }
        }
        drop(cookies);
        answer
    }

    pub async fn signs_in(&self, email: &str, password: &str) -> Answer {
        let fields = [("email", email), ("password", password), ("json", "true")];
        self.post_form("/api/auth/callback/credentials", &fields)
            .await
    }

    /// The answer of `/session`.
    pub async fn session(&self) -> serde_json::Value {
        self.get("/api/auth/session").await.expect(200)
    }
}

impl Answer {
    /// Names and values; the value is empty where the cookie is deleted.
    pub fn set_cookies(&self) -> Vec<(String, String)> {
        self.headers
            .get_all("set-cookie")
            .iter()
            .map(|cookie| {
                let pair = cookie.to_str().unwrap().split(';').next().unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                (name.to_owned(), value.to_owned())
            })
            .collect()
    }
}
