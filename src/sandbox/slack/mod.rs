//! A local stand-in for Slack: both sign-in flows, personas, and faults on demand.

mod answer;
mod authorize;
mod endpoint;
mod exchange;
mod fault;
mod fault_desk;
mod flow;
mod id_token;
mod keys;
mod pages;
mod panel;
mod parameters;
mod people;
mod persona;
mod published_keys;
mod recent;
mod redirect_uri;
mod state;

use std::sync::Arc;

use actix_web::web::{self, Data, ServiceConfig};
use url::Url;

pub use endpoint::Endpoint;
pub use fault::{Fault, Flaw};
pub use persona::{Enterprise, PERSONAS, Persona, Workspace};

use crate::ports::{Clock, Entropy};
use state::State;

/// The only registered app.
pub const CLIENT_ID: &str = "1122334455.6677889900";
/// Public, because it only gives access to the sandbox.
pub const CLIENT_SECRET: &str = "known-to-everybody-slack-sandbox";

/// Where everything is mounted. `SLACK_BASE_URL` is the server's own origin followed by this.
pub const PATH: &str = "/dev/slack";

/// A clone is another handle to the same sandbox.
#[derive(Clone)]
pub struct SlackSandbox {
    state: Data<State>,
}

impl SlackSandbox {
    /// `redirect_uris` are the registered ones: an authorization may redirect to them or below them.
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, redirect_uris: Vec<Url>) -> Self {
        Self {
            state: Data::new(State::new(clock, entropy, redirect_uris)),
        }
    }

    /// For callers that only know the port after creating the sandbox.
    pub fn set_redirect_uris(&self, redirect_uris: Vec<Url>) {
        self.state.set_redirect_uris(redirect_uris);
    }

    /// Mounts everything under [`PATH`].
    pub fn configure(&self, config: &mut ServiceConfig) {
        config.service(
            web::scope(PATH)
                .app_data(self.state.clone())
                .service(web::resource("").get(panel::show))
                .service(web::resource("/oauth/v2/authorize").get(authorize::v2))
                .service(web::resource("/openid/connect/authorize").get(authorize::oidc))
                .service(web::resource("/openid/connect/keys").get(published_keys::show))
                .service(web::resource("/api/oauth.v2.access").post(exchange::v2))
                .service(web::resource("/api/openid.connect.token").post(exchange::oidc))
                .service(
                    web::resource("/api/openid.connect.userInfo")
                        .get(people::open_id_user_info)
                        .post(people::open_id_user_info),
                )
                .service(web::resource("/api/users.info").get(people::users_info))
                .service(web::resource(answer::ELSEWHERE).to(answer::elsewhere))
                .service(
                    web::resource("/faults")
                        .post(fault_desk::set)
                        .delete(fault_desk::clear),
                )
                .service(web::resource("/faults/clear").post(fault_desk::clear_and_return)),
        );
    }

    /// Makes the next `calls` calls to `endpoint` fail, and replaces any fault set before.
    pub fn fail_next(&self, endpoint: Endpoint, fault: Fault, calls: u32) {
        self.state.faults.set(endpoint, fault, calls);
    }

    /// Clears all faults, and closes connections that are waiting in silence.
    pub fn clear_faults(&self) {
        self.state.faults.clear();
    }

    /// How often `endpoint` was called, faults included.
    pub fn calls(&self, endpoint: Endpoint) -> u64 {
        self.state.calls.borrow().of(endpoint)
    }

    /// Waits until `endpoint` was called `calls` times in total, answered or not.
    pub async fn has_been_called(&self, endpoint: Endpoint, calls: u64) {
        let mut counts = self.state.calls.subscribe();
        // The sender is part of `self`, so it outlives the wait.
        let _ = counts.wait_for(|counts| counts.of(endpoint) >= calls).await;
    }

    /// Changes a persona, such as their address or role.
    pub fn change_persona(&self, key: &str, change: impl FnOnce(&mut Persona)) {
        self.state.change_persona(key, change);
    }
}
