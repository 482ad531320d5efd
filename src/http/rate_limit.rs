//! Applies the rate limits to requests and reports what is left.

use std::net::IpAddr;

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{FromRequest as _, HttpMessage as _, web};

use super::error::ApiError;
use super::rate_limit_header::of_group;
use super::request_metadata::RequestMetadata;
use super::route_pattern::RoutePattern;
use crate::domain::{AddressBlock, Allowance};
use crate::service::limits::{self, Group, Key};
use crate::service::{RequestContext, Services};

/// The bucket of a route, by purpose, so that the APIs share it; `None` for the unlimited probes of an orchestrator.
pub(super) fn group_of(route: &str) -> Option<Group> {
    match route {
        "/api/auth/login"
        | "/api/auth/callback/credentials"
        | "/api/auth/signin/credentials"
        | "/api/v1/login" => Some(Group::Login),
        "/api/auth/register" => Some(Group::Register),
        "/api/auth/forgot-password" | "/api/auth/resend-verification" => Some(Group::Mail),
        "/api/auth/refresh" | "/api/auth/session/exchange" => Some(Group::Refresh),
        "/api/revocations" | "/api/auth/introspect" => Some(Group::Services),
        "/api/auth/verify" | "/api/auth/verify-or-sign-in" => Some(Group::Gates),
        "/livez" | "/readyz" => None,
        _ => Some(Group::General),
    }
}

/// Whether every answer reports what is left, and not only a refusal: for small buckets.
pub(super) fn is_told(group: Group) -> bool {
    !matches!(group, Group::General | Group::Services | Group::Gates)
}

/// The result of the rate limit for one request.
pub(super) struct RateLimitCheck {
    /// `None` where nothing is reported.
    headers: Option<[(HeaderName, HeaderValue); 2]>,
    pub refusal: Option<ApiError>,
}

impl RateLimitCheck {
    const UNLIMITED: Self = Self {
        headers: None,
        refusal: None,
    };

    fn new(group: Group, allowance: Allowance) -> Self {
        let refusal =
            (!allowance.is_granted).then(|| ApiError::too_many_requests(group, allowance.seconds));
        let headers = (is_told(group) || refusal.is_some())
            .then(|| of_group(group, allowance.remaining, allowance.seconds))
            .flatten();
        Self { headers, refusal }
    }

    /// Headers that the answer already has are more specific, so they stay.
    pub(super) fn mark(self, answer: &mut HeaderMap) {
        for (name, value) in self.headers.into_iter().flatten() {
            if !answer.contains_key(&name) {
                answer.insert(name, value);
            }
        }
    }
}

/// Checks the rate limit. Runs after routing, so that a percent-encoded path cannot escape its limit.
pub(super) async fn check(request: &ServiceRequest) -> RateLimitCheck {
    let pattern = request.app_data().map(|RoutePattern(path)| *path);
    let services = request.app_data::<web::Data<Services>>();
    let (Some(group), Some(services)) = (pattern.and_then(group_of), services) else {
        return RateLimitCheck::UNLIMITED;
    };
    let address = address(request);
    let key = Key::Address(address.map(AddressBlock::from));
    let Some(allowance) = limits::try_acquire(services, group, key) else {
        return RateLimitCheck::UNLIMITED;
    };
    if let Some(metadata) = request.extensions_mut().get_mut::<RequestMetadata>() {
        metadata.is_counted_as_hashing = group.is_for_hashing();
    }
    if !allowance.is_granted {
        let context = RequestContext::from_request(request.request(), &mut Payload::None).await;
        if let Ok(context) = context {
            limits::note_refusal(services, &context, group, key).await;
        }
    }
    RateLimitCheck::new(group, allowance)
}

fn address(request: &ServiceRequest) -> Option<IpAddr> {
    let extensions = request.extensions();
    extensions.get::<RequestMetadata>()?.address
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::rate_limit_header::{RATE_LIMIT, RATE_LIMIT_POLICY, left};

    fn marked(group: Group, allowance: Allowance) -> Vec<String> {
        let mut headers = HeaderMap::new();
        RateLimitCheck::new(group, allowance).mark(&mut headers);
        let mut lines: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        lines
    }

    const LEFT: Allowance = Allowance {
        is_granted: true,
        remaining: 599,
        seconds: 1,
    };
    const NONE_LEFT: Allowance = Allowance {
        is_granted: false,
        remaining: 0,
        seconds: 7,
    };

    #[test]
    fn all_names_of_one_call_draw_from_one_bucket() {
        for route in [
            "/api/auth/login",
            "/api/auth/callback/credentials",
            "/api/auth/signin/credentials",
            "/api/v1/login",
        ] {
            assert_eq!(group_of(route), Some(Group::Login), "{route}");
        }
        for route in ["/api/auth/refresh", "/api/auth/session/exchange"] {
            assert_eq!(group_of(route), Some(Group::Refresh), "{route}");
        }
        for route in ["/api/auth/forgot-password", "/api/auth/resend-verification"] {
            assert_eq!(group_of(route), Some(Group::Mail), "{route}");
        }
        for route in ["/api/auth/verify", "/api/auth/verify-or-sign-in"] {
            assert_eq!(group_of(route), Some(Group::Gates), "{route}");
        }
        assert_eq!(group_of("/api/auth/me"), Some(Group::General));
        assert_eq!(group_of("/readyz"), None);
    }

    #[test]
    fn small_buckets_report_what_is_left_and_all_report_refusals() {
        assert_eq!(
            marked(Group::Login, LEFT),
            [
                r#"ratelimit-policy: "login";q=600;w=60"#,
                r#"ratelimit: "login";r=599;t=1"#
            ]
        );
        assert!(marked(Group::General, LEFT).is_empty());
        assert!(marked(Group::Gates, LEFT).is_empty());
        assert_eq!(
            marked(Group::General, NONE_LEFT),
            [
                r#"ratelimit-policy: "general";q=60000;w=60"#,
                r#"ratelimit: "general";r=0;t=7"#
            ]
        );
    }

    #[test]
    fn headers_of_the_answer_itself_stay() {
        let mut headers = HeaderMap::new();
        headers.insert(RATE_LIMIT, left("attempts", 0, 900).unwrap());
        RateLimitCheck::new(Group::Login, LEFT).mark(&mut headers);
        assert_eq!(headers.get(RATE_LIMIT).unwrap(), r#""attempts";r=0;t=900"#);
        assert_eq!(
            headers.get(RATE_LIMIT_POLICY).unwrap(),
            r#""login";q=600;w=60"#
        );
    }
}
