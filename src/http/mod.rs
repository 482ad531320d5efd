//! The HTTP layer: URLs, headers, status codes and JSON names, without business rules.

mod accounts;
mod api_tokens;
pub mod app;
mod app_data;
mod audit;
mod body;
mod body_macro;
mod caller;
mod client_address;
pub mod connection;
mod cookies;
mod cors;
pub mod demo;
mod error;
pub mod error_code;
mod field;
mod form;
mod forwarded;
mod forwarded_url;
mod gates;
#[cfg(test)]
pub(crate) mod generated;
mod hop;
mod host;
mod introspect;
mod layers;
mod legacy_session;
pub mod metrics;
mod mfa;
mod next_auth;
mod only_looks;
#[cfg(test)]
mod openapi;
mod operations;
mod organizations;
mod pages;
mod paging;
mod people;
mod query;
mod rate_limit;
mod rate_limit_header;
mod request_metadata;
mod request_origin;
mod revocations;
mod route_pattern;
mod routes;
mod service_caller;
mod session_cookie;
mod session_tokens;
pub mod settings;
mod slack;
mod tenant_host;
mod token_api;
mod token_keys;
mod unread_body;
mod untrusted_proxy;
mod webhooks;

#[cfg(test)]
mod tests;

pub use app::app;
pub use operations::embedded::openapi_json;
pub use settings::Settings;
