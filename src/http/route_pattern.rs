//! The pattern of the route that a request matched.

/// Application data of each route, for the log and the rate limits.
pub struct RoutePattern(pub &'static str);
