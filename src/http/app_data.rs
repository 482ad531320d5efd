//! What every handler can reach: the services and the settings.

use actix_web::{HttpRequest, web};

use super::error::ApiError;
use super::settings::Settings;
use crate::service::Services;

pub(super) fn services(request: &HttpRequest) -> Result<&Services, ApiError> {
    let services = request.app_data::<web::Data<Services>>();
    services
        .map(web::Data::get_ref)
        .ok_or_else(|| ApiError::internal("the application has no services"))
}

pub(super) fn settings(request: &HttpRequest) -> Result<&Settings, ApiError> {
    let settings = request.app_data::<web::Data<Settings>>();
    settings
        .map(web::Data::get_ref)
        .ok_or_else(|| ApiError::internal("the application has no settings"))
}
