//! Says in the log that a proxy may not hand over the visitor's method.

use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::HeaderName;

/// What proxies that ask with a method of their own, usually GET, call the visitor's.
pub(super) const X_FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");

/// Whether the log has said it.
#[derive(Default)]
pub(in crate::http) struct MethodWarning(AtomicBool);

impl MethodWarning {
    /// For a request with a cookie. Warns once.
    pub(super) fn warn_if_missing(&self, request: &HttpRequest) {
        if request.method() == Method::GET
            && !request.headers().contains_key(X_FORWARDED_METHOD)
            && !self.0.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                "a gate was asked by GET, with a session cookie and without X-Forwarded-Method. If the proxy asks by \
                 GET whatever the visitor's method is, as nginx does, forms of foreign pages pass: let it send the \
                 method (docs/gates.md). A proxy that asks with the visitor's own method, as Envoy does, needs nothing"
            );
        }
    }
}
