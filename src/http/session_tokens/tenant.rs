//! The organization that a request's host names.

use actix_web::HttpRequest;
use actix_web::http::header::HOST;

use crate::http::settings::Settings;

/// `acme` for a request to `acme.example.com` if `TENANT_DOMAIN` is `example.com`.
///
/// Anyone can send any `Host`. It only chooses among the organizations of an account whose password is known.
pub(super) fn named_by_host(request: &HttpRequest, settings: &Settings) -> Option<String> {
    let host = request.headers().get(HOST)?.to_str().ok()?;
    slug_of(host, settings.tenant_domain.as_deref()?)
}

fn slug_of(host: &str, domain: &str) -> Option<String> {
    let host = host.split(':').next()?.trim_end_matches('.');
    let host = host.to_ascii_lowercase();
    let label = host.strip_suffix(domain)?.strip_suffix('.')?;
    (!label.is_empty() && !label.contains('.')).then(|| label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_label_below_the_domain_names_a_tenant() {
        for (host, slug) in [
            ("acme.example.com", Some("acme")),
            ("ACME.Example.com:8080", Some("acme")),
            ("acme.example.com.", Some("acme")),
            ("example.com", None),
            (".example.com", None),
            ("a.acme.example.com", None),
            ("acmeexample.com", None),
            ("acme.example.com.evil.example", None),
            ("127.0.0.1:8080", None),
        ] {
            assert_eq!(slug_of(host, "example.com").as_deref(), slug, "{host}");
        }
    }
}
