//! Middleware around all requests and around each route.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use actix_web::body::BoxBody;
use actix_web::dev::{RequestHead, ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, HeaderValue, ORIGIN, REFERRER_POLICY, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, web};
use futures_util::FutureExt;

use super::app_data::{services, settings};
use super::connection::Answering;
use super::cookies::Cookie;
use super::cors;
use super::error::ApiError;
use super::error_code::ErrorCode;
use super::gates::is_gate;
use super::host;
use super::legacy_session::NewCookie;
use super::rate_limit;
use super::request_metadata::{REQUEST_ID, RequestMetadata};
use super::route_pattern::RoutePattern;
use super::session_cookie;
use super::settings::Settings;
use super::unread_body::Reader;
use crate::domain::lifetimes;
use crate::service::Services;

/// Around the router, so that every answer has its headers and its log line. One middleware and not five, because
/// each would add a boxed future to `/me`.
pub(super) async fn every_request(
    settings: web::Data<Settings>,
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let started = Instant::now();
    let answering = Answering::begin(&request);
    let origin = RequestMetadata::of(&request, &settings);
    request.extensions_mut().insert(origin.clone());
    let admitted = settings.allowed_origins.admit(request.headers());

    let reader = Reader::of(&mut request);

    let response = if is_head_too_large(request.head()) {
        request.error_response(ApiError::from(ErrorCode::HeadTooLarge))
    } else if let Err(refusal) = host::check(request.head(), &settings) {
        request.error_response(ApiError::from(refusal))
    } else if cors::is_preflight(&request) && !is_gate(request.path()) {
        request.into_response(cors::preflight(admitted.as_ref()))
    } else {
        next.call(request).await?
    };

    let mut response = in_our_envelope(response);
    let is_for_everyone = cors::is_for_everyone(response.headers());
    let asked_from = response.request().headers();
    if admitted.is_none()
        && !is_for_everyone
        && asked_from.get(ORIGIN) != Some(&settings.own_origin)
    {
        settings.allowed_origins.log_refusal(asked_from);
    }
    let of_session_tokens = is_of_session_tokens(response.request());
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, origin.request_id.clone());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if of_session_tokens {
        // Their URLs may contain a token.
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if settings.is_https() {
        headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    if !is_for_everyone {
        cors::mark(headers, admitted);
    }
    delete_replaced_cookies(&mut response, &settings);
    remember_user(&origin, &mut response, &settings);
    close_if_stopping(&mut response);
    log(&origin, &response, started);
    if let Some(reader) = reader {
        reader.outlive_the_answer();
    }
    drop(answering);
    Ok(response)
}

/// A connection that stays open until the port closes could carry a request at that very moment, which is lost then.
fn close_if_stopping(response: &mut ServiceResponse) {
    if services(response.request()).is_ok_and(Services::is_stopping) {
        let head = response.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
}

/// A session cookie takes the place of what the browser had.
fn delete_replaced_cookies(response: &mut ServiceResponse, settings: &Settings) {
    if !response.headers().contains_key(SET_COOKIE) {
        return;
    }
    let request = response.request().clone();
    if let Ok(services) = services(&request) {
        let replaced = session_cookie::Replaced {
            sent: request.headers(),
            legacy: services.legacy_cookies(),
            settings,
        };
        let is_foreign = |token: &str| services.is_foreign_session(token);
        replaced.delete(response.headers_mut(), is_foreign);
    }
}

/// Lets the browser remember whom the request has signed in.
fn remember_user(origin: &RequestMetadata, response: &mut ServiceResponse, settings: &Settings) {
    let Some(browser) = &origin.browser else {
        return;
    };
    let (Some(owner), Ok(services)) = (browser.signed_in.get(), services(response.request()))
    else {
        return;
    };
    let marks = services.renewed_marks(&browser.marks, *owner);
    let seconds = lifetimes::KNOWN_PLACE.num_seconds();
    if let Ok(cookie) = HeaderValue::try_from(Cookie::Device.set(&marks, seconds, settings)) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

/// A larger head is a mistake or an attack. (actix-http itself rejects heads over 128 KiB or 96 fields.)
const MAX_HEAD: usize = 32 * 1024;

fn is_head_too_large(head: &RequestHead) -> bool {
    let target = head.uri.path().len() + head.uri.query().map_or(0, str::len);
    let fields = head.headers.iter();
    let fields = fields.map(|(name, value)| name.as_str().len() + value.len());
    target + fields.sum::<usize>() > MAX_HEAD
}

fn is_of_session_tokens(request: &HttpRequest) -> bool {
    let path = match request.app_data() {
        Some(RoutePattern(pattern)) => pattern,
        None => request.path(),
    };
    path.starts_with("/api/v1/")
}

/// Gives errors of the framework, such as wrong methods, our body and error code.
fn in_our_envelope(response: ServiceResponse) -> ServiceResponse {
    let status = response.status();
    if status.as_u16() < 400 || response.headers().contains_key("x-error-code") {
        return response;
    }
    let cause = response.response().error().map(ToString::to_string);
    let allow = response.headers().get(ALLOW).cloned();
    let error = if status.is_server_error() {
        ApiError::internal(cause.unwrap_or_default())
    } else {
        ErrorCode::of_status(status).into()
    };
    let mut answer = HttpResponse::from_error(error);
    if let Some(allow) = allow {
        answer.headers_mut().insert(ALLOW, allow);
    }
    let (request, _) = response.into_parts();
    ServiceResponse::new(request, answer)
}

/// Paths and query strings may contain personal data, so only the matched pattern is logged.
fn log(origin: &RequestMetadata, response: &ServiceResponse, started: Instant) {
    let request = response.request();
    let method = request.method().as_str();
    let route = request.app_data().map_or("-", |RoutePattern(path)| path);
    let status = response.status().as_u16();
    let duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    let address = origin.address.map(tracing::field::display);
    let request_id = origin.request_id();
    let error = response.response().error();
    let error = error.and_then(|error| error.as_error::<ApiError>());
    let code = error.map(ApiError::code);
    // Anyone can request an unconfigured feature as often as they like.
    if !response.status().is_server_error() || code == Some(ErrorCode::SlackNotSetUp) {
        tracing::info!(
            target: "hallpass::request",
            request_id, method, route, status, duration_us, address,
            "request"
        );
        return;
    }
    let cause = error.and_then(ApiError::cause);
    if code == Some(ErrorCode::Busy) {
        // Load is not a failure: hundreds of these a second are expected behaviour.
        tracing::info!(
            target: "hallpass::request",
            request_id, method, route, status, duration_us, address, cause,
            "request refused for load"
        );
    } else {
        tracing::error!(
            target: "hallpass::request",
            request_id, method, route, status, duration_us, address, cause,
            "request failed"
        );
    }
}

/// Around each route: refuses requests over the rate limit, and turns a panic into a 500.
///
/// Not around the router, which must own the request alone while it matches paths, and which finds the route.
pub(super) async fn each_route(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let mut check = rate_limit::check(&request).await;
    let mut response = match check.refusal.take() {
        Some(refusal) => request.into_response(HttpResponse::from_error(refusal)),
        None => with_exchanged_session(request, next).await?,
    };
    check.mark(response.headers_mut());
    Ok(response)
}

/// Exchanges the session of an earlier system before the handler asks who is signed in.
async fn with_exchanged_session(
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let cookie = match NewCookie::of(&mut request).await {
        Ok(cookie) => cookie,
        Err(error) => return Ok(request.into_response(HttpResponse::from_error(error))),
    };
    let mut response = catch_panic(request, next).await?;
    if let Some(cookie) = cookie {
        let request = response.request().clone();
        cookie.give(response.headers_mut(), settings(&request)?);
    }
    Ok(response)
}

async fn catch_panic(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let kept = request.request().clone();
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            let message = panic
                .downcast_ref::<&str>()
                .copied()
                .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
                .unwrap_or("of unknown kind");
            let error = ApiError::internal(format!("panic: {message}"));
            Ok(ServiceResponse::from_err(error, kept))
        }
    }
}
