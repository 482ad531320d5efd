//! Settings for accounts and organizations, and for the URLs users are sent to.

use url::{Host, Url};

use super::Mode;
use super::addresses::base_url;
use super::reader::Reader;
use super::server::Server;
use super::setting_error::{Problem, quoted};
use super::settings::{
    ALLOWED_RETURN_URLS, APP_URL, DEFAULT_JOIN_POLICY, PEOPLE_CACHE_SIZE, REQUIRE_VERIFIED_EMAIL,
    SESSIONS_PER_USER, TENANT_DOMAIN,
};
use super::values::{join_policy, number_within, switch};
use crate::domain::person::MOST_SESSIONS;
use crate::domain::{AllowedReturnUrl, JoinPolicy};

#[derive(Debug, Clone)]
pub struct Accounts {
    pub default_join_policy: JoinPolicy,
    pub require_verified_email: bool,
    pub sessions_per_user: u32,
    /// How many users are kept in memory at most.
    pub people_cache_size: u32,
    pub allowed_return_urls: Vec<AllowedReturnUrl>,
    /// The base URL of links in e-mails.
    pub app_url: Url,
    /// `example.com` when `acme.example.com` is the organization `acme`.
    pub tenant_domain: Option<String>,
}

impl Accounts {
    pub(super) fn read(reader: &mut Reader<'_>, server: Option<&Server>) -> Option<Self> {
        let default_join_policy = reader.value(&DEFAULT_JOIN_POLICY, join_policy);
        let require_verified_email = reader.value(&REQUIRE_VERIFIED_EMAIL, switch);
        let sessions_per_user = reader.value(&SESSIONS_PER_USER, number_within(1..=MOST_SESSIONS));
        let people_cache_size = reader.value(&PEOPLE_CACHE_SIZE, number_within(1_000..=10_000_000));
        let mut allowed_return_urls = reader.list(&ALLOWED_RETURN_URLS, |text| {
            AllowedReturnUrl::parse(text).map_err(|error| {
                Problem::new(
                    format!("{} {error}.", quoted(text)),
                    "List full URLs such as https://app.example.com/auth.",
                )
            })
        });
        if reader.mode == Mode::Dev
            && let Some(server) = server
        {
            // The demo's own page, and every other on this machine.
            allowed_return_urls.extend(AllowedReturnUrl::parse(server.public_url.as_str()));
            allowed_return_urls.extend(AllowedReturnUrl::any_loopback("http://localhost:3000/"));
        }
        let app_url = reader.value(&APP_URL, base_url);
        let tenant_domain = reader.value(&TENANT_DOMAIN, domain);
        Some(Self {
            default_join_policy: default_join_policy?,
            require_verified_email: require_verified_email?,
            sessions_per_user: sessions_per_user?,
            people_cache_size: people_cache_size?,
            allowed_return_urls,
            app_url: match app_url {
                Some(url) => url,
                None => server?.public_url.clone(),
            },
            tenant_domain,
        })
    }
}

/// A domain name in lower case and ASCII (IDNA).
fn domain(text: &str) -> Result<String, Problem> {
    match Host::parse(text) {
        Ok(Host::Domain(name))
            if name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
                && name.split('.').all(|label| !label.is_empty()) =>
        {
            Ok(name)
        }
        _ => Err(Problem::new(
            format!("{} is not a domain name.", quoted(text)),
            "Use a domain such as example.com, without scheme, port or wildcard.",
        )),
    }
}
