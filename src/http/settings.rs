//! What the HTTP side must be told.

use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use actix_web::web::Bytes;
use ipnet::IpNet;
use url::Url;

use super::cors::AllowedOrigins;
use crate::domain::TokenDelivery;

pub struct Settings {
    pub(super) public_url: Url,
    /// Where the application is that people came from, and where links in letters lead.
    pub(super) app_url: Url,
    pub(super) allowed_origins: AllowedOrigins,
    pub(super) trusted_proxies: Vec<IpNet>,
    /// How a sign-in with Slack hands its token over.
    pub(super) token_delivery: TokenDelivery,
    /// Whether the operator was told that a proxy may be missing in `TRUSTED_PROXIES`.
    pub(super) proxy_is_noticed: AtomicBool,
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
    ) -> Self {
        Self {
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
}
