//! `GET /openid/connect/keys`

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::answer::answer;
use super::endpoint::Endpoint;
use super::state::State;

pub(super) async fn show(state: Data<State>) -> HttpResponse {
    answer(&state, Endpoint::OpenIdKeys, |_| {
        Ok(state.signing_key.public())
    })
    .await
}
