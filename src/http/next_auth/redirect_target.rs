//! Where a sign-in or a sign-out leads: to this service and its allowed origins and URLs only.

use url::Url;

use crate::http::settings::Settings;
use crate::service::Services;

/// The `callbackUrl` if it is allowed, otherwise our front page; without one the application, where people want to be.
pub(super) fn callback_url(given: Option<&str>, services: &Services, settings: &Settings) -> Url {
    let Some(given) = given else {
        return match settings.app_url == settings.public_url {
            true => settings.public("/"),
            false => settings.app_url.clone(),
        };
    };
    services
        .redirect_target(given, &settings.public_url, &settings.own_places)
        .unwrap_or_else(|| settings.public("/"))
}

/// The sign-in page or the error page, with these parameters.
pub(super) fn page(path: &str, parameters: &[(&str, &str)], settings: &Settings) -> Url {
    let mut url = settings.public(path);
    url.query_pairs_mut().extend_pairs(parameters);
    url
}
