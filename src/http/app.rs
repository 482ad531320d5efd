//! The actix application: routes inside, middleware around them.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{App, Error, web};

use super::error::ApiError;
use super::error_code::ErrorCode;
use super::settings::Settings;
use super::{layers, routes};
use crate::service::Services;

/// One worker's application, with `more_routes` added to ours. Call it in the closure of `HttpServer::new` with
/// clones of the same data.
pub fn app(
    services: web::Data<Services>,
    settings: web::Data<Settings>,
    more_routes: impl FnOnce(&mut web::ServiceConfig),
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let all_routes = |config: &mut web::ServiceConfig| {
        routes::configure(config);
        more_routes(config);
    };
    layered(settings, all_routes).app_data(services)
}

/// From the outside in, a request passes:
///
/// 1. `layers::every_request`: request id and client address, CORS, our envelope around foreign
///    errors, security headers, the log line;
/// 2. the router: a path of `routes.rs`, else 404; a method of that path, else 405;
/// 3. `layers::each_route`: the address's bucket, and what becomes of a panic;
/// 4. the extractors: who is asking (`Caller`), what they sent (`Valid<T>`);
/// 5. the handler.
pub(super) fn layered(
    settings: web::Data<Settings>,
    routes: impl FnOnce(&mut web::ServiceConfig),
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new()
        .app_data(settings.clone())
        .configure(routes)
        .default_service(web::to(no_such_route))
        .wrap(from_fn(move |request, next| {
            layers::every_request(settings.clone(), request, next)
        }))
}

async fn no_such_route() -> Result<web::Bytes, ApiError> {
    Err(ErrorCode::NotFound.into())
}
