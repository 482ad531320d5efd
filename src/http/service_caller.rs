//! Authenticates other services by their keys.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;

use super::app_data::services;
use super::caller::bearer_token;
use super::error::ApiError;
use super::request_metadata::request_context;
use crate::service::{ServiceCaller, authenticate_service};

impl FromRequest for ServiceCaller {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let key = bearer_token(request.headers())?;
            let context = request_context(&request)?;
            Ok(authenticate_service(services(&request)?, &context, key).await?)
        })
    }
}
