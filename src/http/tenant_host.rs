//! The tenant that a request's host names.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::HOST;
use actix_web::{FromRequest, HttpRequest};

use super::app_data::settings;
use super::error::ApiError;
use super::forwarded_url::forwarded_host;
use super::host;
use super::settings::Settings;
use crate::service::Wanted;

/// The slug `acme` for a request to `acme.example.com` if `TENANT_DOMAIN` is `example.com`.
///
/// Anyone can send any host. It only chooses among the organizations of a user who has proved who they are.
pub(super) struct TenantHost(pub Option<String>);

impl TenantHost {
    /// The slug that the request names, or else this tenant's.
    pub(super) fn slug<'a>(&'a self, named: Option<&'a str>) -> Option<&'a str> {
        named.or(self.0.as_deref())
    }

    /// What the request names, or else this tenant, or else the usual organization.
    pub(super) fn unless(self, named: Option<Wanted>) -> Wanted {
        named.or(self.0.map(Wanted::Slug)).unwrap_or(Wanted::Usual)
    }
}

impl FromRequest for TenantHost {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(settings(request).map(|settings| Self(slug_of_host(request, settings))))
    }
}

fn slug_of_host(request: &HttpRequest, settings: &Settings) -> Option<String> {
    let domain = settings.tenant_domain.as_deref()?;
    let peer = request.peer_addr().map(|peer| peer.ip());
    let forwarded = forwarded_host(peer, request.headers(), settings);
    // The host of a whole URL replaces the field (RFC 9112 §3.2.2).
    let host = match (&forwarded, request.uri().host()) {
        (Some(forwarded), _) => forwarded,
        (None, Some(host)) => host,
        (None, None) => request.headers().get(HOST)?.to_str().ok()?,
    };
    slug(host::name_of(host)?, domain, settings)
}

/// The service's own hosts are no tenants, nor is `www`.
fn slug(host: &str, domain: &str, settings: &Settings) -> Option<String> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let own = [&settings.public_url, &settings.app_url];
    if own.iter().any(|url| url.host_str() == Some(&host)) {
        return None;
    }
    let label = host.strip_suffix(domain)?.strip_suffix('.')?;
    let is_tenant = !label.is_empty() && !label.contains('.') && label != "www";
    is_tenant.then(|| label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::settings::tests::settings;

    #[test]
    fn one_label_below_the_domain_names_a_tenant() {
        let own = Settings {
            app_url: "https://app.example.com/start".parse().unwrap(),
            ..settings("https://auth.example.com")
        };
        for (host, expected) in [
            ("acme.example.com", Some("acme")),
            ("ACME.Example.com", Some("acme")),
            ("acme.example.com.", Some("acme")),
            ("auth.example.com", None),
            ("AUTH.example.com.", None),
            ("app.example.com", None),
            ("www.example.com", None),
            ("example.com", None),
            (".example.com", None),
            ("a.acme.example.com", None),
            ("acmeexample.com", None),
            ("acme.example.com.evil.example", None),
            ("localhost", None),
            ("127.0.0.1", None),
            ("[::1]", None),
        ] {
            assert_eq!(
                slug(host, "example.com", &own).as_deref(),
                expected,
                "{host}"
            );
        }
    }
}
