//! Requests that look at a URL without acting on it.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::HeaderMap;

/// Whether the request must change nothing, although it is for a URL whose GET does: HEAD (RFC 9110 §9.2.1 calls it
/// safe, and link checkers send it), or a browser that prefetches.
pub(super) fn only_looks(request: &HttpRequest) -> bool {
    request.method() == Method::HEAD || is_speculative(request.headers())
}

fn is_speculative(headers: &HeaderMap) -> bool {
    ["sec-purpose", "purpose", "x-purpose", "x-moz"]
        .iter()
        .flat_map(|name| headers.get_all(*name))
        .any(|value| {
            let value = value.as_bytes().to_ascii_lowercase();
            [&b"prefetch"[..], b"prerender", b"preview"]
                .iter()
                .any(|word| value.windows(word.len()).any(|part| part == *word))
        })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn each_prefetch_header_is_recognized() {
        for (name, value) in [
            ("sec-purpose", "prefetch"),
            ("sec-purpose", "prefetch;prerender"),
            ("purpose", "prefetch"),
            ("purpose", "Prefetch"),
            ("x-moz", "prefetch"),
            ("x-purpose", "preview"),
        ] {
            let mut headers = HeaderMap::new();
            assert!(!is_speculative(&headers));
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
            assert!(is_speculative(&headers), "{name}: {value}");
        }
    }
}
