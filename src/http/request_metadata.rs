//! Metadata of a request: its id, client address and device.

use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, ORIGIN, USER_AGENT};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use uuid::{NoContext, Timestamp, Uuid};

use super::client_address::client_address;
use super::cookies::Cookie;
use super::error::ApiError;
use super::request_origin::SEC_FETCH_SITE;
use super::settings::Settings;
use super::untrusted_proxy::warn_of_untrusted_proxy;
use crate::domain::device;
use crate::service::{Browser, RequestContext};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Determined once per request, for the log, the answer and the services.
#[derive(Clone)]
pub(super) struct RequestMetadata {
    pub request_id: HeaderValue,
    pub address: Option<IpAddr>,
    /// Whether the request was counted against a bucket for calls that hash.
    pub is_counted_as_hashing: bool,
    pub browser: Option<Browser>,
}

impl RequestMetadata {
    pub(super) fn of(request: &ServiceRequest, settings: &Settings) -> Self {
        let headers = request.headers();
        let peer = request.peer_addr().map(|address| address.ip());
        warn_of_untrusted_proxy(
            peer,
            headers,
            &settings.trusted_proxies,
            &settings.mentioned_proxies,
        );
        Self {
            request_id: request_id(headers),
            address: client_address(
                peer,
                headers,
                &settings.trusted_proxies,
                settings.proxy_header,
            ),
            is_counted_as_hashing: false,
            browser: browser(headers, settings),
        }
    }

    pub(super) fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }
}

/// The caller's own id if it is safe to log, otherwise a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let is_fit = |id: &&HeaderValue| {
        (1..=128).contains(&id.len())
            && id
                .as_bytes()
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b))
    };
    if let Some(id) = headers.get(REQUEST_ID).filter(is_fit) {
        return id.clone();
    }
    // Without a context, so that threads share no lock.
    let id = Uuid::new_v7(Timestamp::now(NoContext));
    HeaderValue::from_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
        .unwrap_or(HeaderValue::from_static("none"))
}

impl FromRequest for RequestContext {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(request_context(request))
    }
}

/// Where the request came from, as the services want to know it.
///
/// # Errors
/// When the request bypassed the layer that notes it.
pub(super) fn request_context(request: &HttpRequest) -> Result<RequestContext, ApiError> {
    let extensions = request.extensions();
    let metadata = extensions
        .get::<RequestMetadata>()
        .ok_or_else(|| ApiError::internal("the request bypassed the request-id middleware"))?;
    Ok(RequestContext {
        request_id: metadata.request_id().to_owned(),
        address: metadata.address,
        device: request.headers().get(USER_AGENT).and_then(device_name),
        is_counted_as_hashing: metadata.is_counted_as_hashing,
        browser: metadata.browser.clone(),
    })
}

/// The browser, if the request has a header that only browsers send.
fn browser(headers: &HeaderMap, settings: &Settings) -> Option<Browser> {
    let marks = Cookie::Device.only(headers, settings);
    let is_browser =
        marks.is_some() || headers.contains_key(ORIGIN) || headers.contains_key(SEC_FETCH_SITE);
    is_browser.then(|| Browser {
        marks: marks.unwrap_or_default().to_owned(),
        ..Browser::default()
    })
}

/// The `User-Agent` itself is not kept: it says more than anyone needs to know a device by.
fn device_name(user_agent: &HeaderValue) -> Option<String> {
    device::name_of(&String::from_utf8_lossy(user_agent.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(sent: &'static str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID, HeaderValue::from_static(sent));
        request_id(&headers).to_str().unwrap().to_owned()
    }

    #[test]
    fn a_fit_request_id_is_kept() {
        assert_eq!(id("Trace_7.a-B"), "Trace_7.a-B");
        let longest: &'static str = "x".repeat(128).leak();
        assert_eq!(id(longest), longest);
    }

    #[test]
    fn an_unfit_request_id_is_replaced_by_a_uuid() {
        let too_long: &'static str = "x".repeat(129).leak();
        for unfit in ["", "a b", "a\"b", "{{7*7}}", too_long] {
            assert!(id(unfit).parse::<Uuid>().is_ok(), "{unfit}");
        }
        assert!(request_id(&HeaderMap::new()).len() == 36);
    }

    #[test]
    fn a_user_agent_of_any_bytes_is_named() {
        let name = |bytes: &[u8]| device_name(&HeaderValue::from_bytes(bytes).unwrap());
        assert_eq!(name(b"curl/8").as_deref(), Some("curl 8"));
        assert_eq!(name(b"a\tb\xff/1").as_deref(), Some("a b 1"));
        assert_eq!(name(b"\xff"), None);
    }
}
