//! The visitor's request, as the proxy describes it.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::SEC_WEBSOCKET_KEY;
use url::Url;

use super::method_warning::X_FORWARDED_METHOD;
use crate::http::caller;
use crate::http::forwarded_url::{forwarded_host, forwarded_proto, forwarded_uri};
use crate::http::pages::shell::Preferred;
use crate::http::settings::Settings;
use crate::service::Services;

/// Whether the visitor's request can only read. Any sign of the opposite counts, whoever sent it: nobody gains by
/// making a request look unsafe. A WebSocket, which starts with a GET, can do anything.
pub(in crate::http) fn is_safe(request: &HttpRequest) -> bool {
    methods(request).all(|method| method.is_some_and(|method| caller::is_safe(&method)))
        && !request.headers().contains_key(SEC_WEBSOCKET_KEY)
}

/// Whether a browser opens a page, so that it can be led to another one.
pub(super) fn is_navigation(request: &HttpRequest) -> bool {
    methods(request).all(|method| method == Some(Method::GET))
        && Preferred::by_browsers(request.headers()) == Preferred::Page
}

/// The request's own method and the forwarded ones; `None` for what is no method.
fn methods(request: &HttpRequest) -> impl Iterator<Item = Option<Method>> {
    let forwarded = request.headers().get_all(X_FORWARDED_METHOD);
    let forwarded = forwarded.map(|method| Method::from_bytes(method.as_bytes()).ok());
    forwarded.chain([Some(request.method().clone())])
}

/// The page that the visitor asked for, as trusted proxies forward it; `None` if a sign-in may not lead there.
pub(super) fn page(request: &HttpRequest, services: &Services, settings: &Settings) -> Option<Url> {
    let peer = request.peer_addr().map(|peer| peer.ip());
    let headers = request.headers();
    let uri = forwarded_uri(peer, headers, settings).filter(|uri| uri.starts_with('/'))?;
    let proto = forwarded_proto(peer, headers, settings);
    let host = forwarded_host(peer, headers, settings);
    let page = match (proto, host) {
        (Some(proto), Some(host)) => format!("{proto}://{host}{uri}"),
        _ => uri.to_owned(),
    };
    services.redirect_target(&page, &settings.public_url, &settings.own_places)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn request(own: &str, sent: &[(&'static str, &'static str)]) -> HttpRequest {
        let mut request = TestRequest::default().method(own.parse().unwrap());
        for header in sent {
            request = request.append_header(*header);
        }
        request.to_http_request()
    }

    #[test]
    fn a_request_is_safe_only_if_every_sign_says_so() {
        const METHOD: &str = "x-forwarded-method";
        for (own, sent, expected) in [
            ("GET", &[][..], true),
            ("HEAD", &[], true),
            ("OPTIONS", &[(METHOD, "GET")], true),
            ("GET", &[(METHOD, "HEAD")], true),
            ("POST", &[], false),
            ("PROPFIND", &[], false),
            ("GET", &[(METHOD, "POST")], false),
            ("POST", &[(METHOD, "GET")], false),
            ("GET", &[(METHOD, "GET"), (METHOD, "POST")], false),
            ("GET", &[(METHOD, "GET, POST")], false),
            ("GET", &[(METHOD, "get")], false),
            ("GET", &[(METHOD, "")], false),
            (
                "GET",
                &[("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")],
                false,
            ),
        ] {
            assert_eq!(is_safe(&request(own, sent)), expected, "{own} {sent:?}");
        }
    }

    #[test]
    fn only_a_browser_that_opens_a_page_navigates() {
        const PAGE: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        const METHOD: &str = "x-forwarded-method";
        for (own, sent, expected) in [
            ("GET", &[PAGE][..], true),
            ("GET", &[PAGE, (METHOD, "GET")], true),
            ("GET", &[PAGE, (METHOD, "POST")], false),
            ("POST", &[PAGE], false),
            ("HEAD", &[PAGE], false),
            ("GET", &[("accept", "*/*")], false),
            ("GET", &[("accept", "application/json")], false),
            ("GET", &[], false),
        ] {
            let request = request(own, sent);
            assert_eq!(is_navigation(&request), expected, "{own} {sent:?}");
        }
    }
}
