//! What the HTTP side must be told.

use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use actix_web::http::header::HeaderValue;
use actix_web::web::Bytes;
use ipnet::IpNet;
use url::Url;

use super::cors::AllowedOrigins;
use crate::domain::TokenDelivery;

pub struct Settings {
    pub(super) public_url: Url,
    /// Where the application is that people came from, and where links in letters lead.
    pub(super) app_url: Url,
    /// `public_url`'s origin as browsers send it.
    pub(super) own_origin: HeaderValue,
    pub(super) allowed_origins: AllowedOrigins,
    pub(super) trusted_proxies: Vec<IpNet>,
    /// How a sign-in with Slack hands its token over.
    pub(super) token_delivery: TokenDelivery,
    /// Whether the operator was told that a proxy may be missing in `TRUSTED_PROXIES`.
    pub(super) proxy_is_noticed: AtomicBool,
    /// `example.com` when a request to `acme.example.com` speaks of the organization `acme`.
    pub(super) tenant_domain: Option<String>,
    /// Whom to tell of a security hole, as URIs.
    pub(super) security_contacts: Vec<Url>,
    /// Where a sign-in may lead on to besides the allowed return URLs: any path of these.
    pub(super) own_places: Vec<Url>,
    /// Rendered when somebody first asks, so that nobody else waits for it at start.
    pub(super) reference_page: OnceLock<Bytes>,
}

impl Settings {
    /// `cors_allowed_origins` are compared exactly, so they must be written as browsers send them.
    pub fn new(
        public_url: Url,
        app_url: Url,
        cors_allowed_origins: &[String],
        trusted_proxies: Vec<IpNet>,
        token_delivery: TokenDelivery,
        tenant_domain: Option<String>,
        security_contacts: Vec<Url>,
    ) -> Self {
        let own_origin = public_url.origin().ascii_serialization();
        let own_places = std::iter::once(&own_origin)
            .chain(cors_allowed_origins)
            .filter_map(|origin| Url::parse(origin).ok())
            .collect();
        Self {
            // An origin is ASCII. Where it could not be sent, no page is at home.
            own_origin: HeaderValue::from_str(&own_origin)
                .unwrap_or(HeaderValue::from_static("none")),
            own_places,
            tenant_domain,
            security_contacts,
            public_url,
            app_url,
            allowed_origins: AllowedOrigins::new(cors_allowed_origins),
            trusted_proxies,
            token_delivery,
            proxy_is_noticed: AtomicBool::new(false),
            reference_page: OnceLock::new(),
        }
    }

    pub(super) fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// A path of ours as others reach it: built from `PUBLIC_URL` alone, whatever a request says of itself.
    pub(super) fn public(&self, path: &str) -> Url {
        let mut url = self.public_url.clone();
        let base = self.public_url.path().trim_end_matches('/');
        url.set_path(&format!("{base}{path}"));
        url
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn settings(public_url: &str) -> Settings {
        settings_with(public_url, &[])
    }

    pub fn settings_with(public_url: &str, allowed_origins: &[&str]) -> Settings {
        let allowed_origins: Vec<String> = allowed_origins.iter().map(|&o| o.to_owned()).collect();
        Settings::new(
            public_url.parse().unwrap(),
            public_url.parse().unwrap(),
            &allowed_origins,
            Vec::new(),
            TokenDelivery::Fragment,
            None,
            Vec::new(),
        )
    }

    #[test]
    fn a_path_of_ours_begins_where_the_public_url_ends() {
        for (public_url, expected) in [
            ("https://id.example.com", "https://id.example.com/livez"),
            ("https://example.com/id/", "https://example.com/id/livez"),
        ] {
            assert_eq!(settings(public_url).public("/livez").as_str(), expected);
        }
    }
}
