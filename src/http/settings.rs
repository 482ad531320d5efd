//! The settings of the HTTP layer.

use actix_web::http::header::HeaderValue;
use ipnet::IpNet;
use url::Url;

use super::cors::AllowedOrigins;
use super::gates::MethodWarning;
use super::untrusted_proxy::Mentioned;
use crate::domain::{ProxyHeader, TokenDelivery};

pub struct Settings {
    pub(super) public_url: Url,
    /// The application that users come from, and where links in e-mails lead.
    pub(super) app_url: Url,
    /// The origin of `public_url` as browsers send it.
    pub(super) own_origin: HeaderValue,
    pub(super) allowed_origins: AllowedOrigins,
    pub(super) trusted_proxies: Vec<IpNet>,
    pub(super) proxy_header: ProxyHeader,
    /// How a sign-in with Slack delivers its token.
    pub(super) token_delivery: TokenDelivery,
    pub(super) mentioned_proxies: Mentioned,
    pub(super) method_warning: MethodWarning,
    /// `example.com` if a request to `acme.example.com` is for the organization `acme`.
    pub(super) tenant_domain: Option<String>,
    /// Where to report a vulnerability, as URIs.
    pub(super) security_contacts: Vec<Url>,
    /// Where a sign-in may lead, at or below them, in addition to the allowed return URLs: origins and `app_url`.
    pub(super) own_places: Vec<Url>,
    /// Whether only names of this machine, and `public_url`'s, are answered.
    pub(super) own_hosts_only: bool,
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
            .chain([app_url.clone()])
            .collect();
        Self {
            // An origin is ASCII. If it were not, no page would count as ours.
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
            proxy_header: ProxyHeader::XForwarded,
            mentioned_proxies: Mentioned::default(),
            method_warning: MethodWarning::default(),
            own_hosts_only: false,
        }
    }

    /// Answers only to names of this machine and of `PUBLIC_URL`, and allows every origin on this machine, whatever
    /// their port.
    #[must_use]
    pub fn for_development(mut self) -> Self {
        self.own_hosts_only = true;
        self.allowed_origins.any_loopback = true;
        self
    }

    /// Slack's redirect URL.
    pub fn slack_callback_url(&self) -> Url {
        self.public("/api/auth/slack/callback")
    }

    /// Reads clients' addresses in another header than `X-Forwarded-For`.
    #[must_use]
    pub fn reading(self, proxy_header: ProxyHeader) -> Self {
        Self {
            proxy_header,
            ..self
        }
    }

    pub(super) fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// The path of `PUBLIC_URL`: `/`, or `/id` without a slash at its end.
    pub(super) fn base_path(&self) -> &str {
        match self.public_url.path().trim_end_matches('/') {
            "" => "/",
            path => path,
        }
    }

    /// The public URL of a path: built from `PUBLIC_URL` only, never from the request.
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

    pub(crate) fn settings(public_url: &str) -> Settings {
        settings_with(public_url, &[])
    }

    pub(crate) fn settings_with(public_url: &str, allowed_origins: &[&str]) -> Settings {
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
    fn public_paths_extend_the_public_url() {
        for (public_url, expected) in [
            ("https://id.example.com", "https://id.example.com/livez"),
            ("https://example.com/id/", "https://example.com/id/livez"),
        ] {
            assert_eq!(settings(public_url).public("/livez").as_str(), expected);
        }
    }
}
