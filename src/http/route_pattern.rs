//! The pattern of the route that a request matched.

/// Application data of each route, for the log and the rate limits.
pub(super) struct RoutePattern(pub &'static str);
