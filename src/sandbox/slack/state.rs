//! The sandbox's state: in memory only and limited in size.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use tokio::sync::watch;
use url::Url;

use super::endpoint::Calls;
use super::fault::Faults;
use super::flow::Flow;
use super::keys::SigningKey;
use super::persona::{PERSONAS, Persona};
use super::recent::Recent;
use crate::ports::{Clock, Entropy, random_bytes};

pub(super) struct State {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    redirect_uris: Mutex<Vec<Url>>,
    personas: Mutex<[Persona; PERSONAS.len()]>,
    codes: Mutex<Recent<Grant>>,
    tokens: Mutex<Recent<Access>>,
    pub(super) signing_key: SigningKey,
    pub(super) faults: Faults,
    pub(super) calls: watch::Sender<Calls>,
}

/// What an authorization code grants.
#[derive(Clone)]
pub(super) struct Grant {
    pub flow: Flow,
    /// The persona's key.
    pub persona: &'static str,
    /// As sent by the client, if it was sent.
    pub redirect_uri: Option<String>,
    pub scopes: Vec<String>,
    pub nonce: String,
    pub issued_at: DateTime<Utc>,
    pub is_used: bool,
}

/// What an access token grants.
#[derive(Clone)]
pub(super) struct Access {
    /// The persona's key.
    pub persona: &'static str,
    pub scopes: Vec<String>,
}

impl Access {
    pub(super) fn covers(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }
}

impl State {
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        redirect_uris: Vec<Url>,
    ) -> Self {
        Self {
            clock,
            entropy,
            redirect_uris: Mutex::new(redirect_uris),
            personas: Mutex::new(PERSONAS),
            codes: Mutex::new(Recent::new()),
            tokens: Mutex::new(Recent::new()),
            signing_key: SigningKey::embedded(),
            faults: Faults::new(),
            calls: watch::Sender::default(),
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(super) fn redirect_uris(&self) -> Vec<Url> {
        lock(&self.redirect_uris).clone()
    }

    pub(super) fn set_redirect_uris(&self, redirect_uris: Vec<Url>) {
        *lock(&self.redirect_uris) = redirect_uris;
    }

    pub(super) fn personas(&self) -> [Persona; PERSONAS.len()] {
        *lock(&self.personas)
    }

    pub(super) fn persona(&self, key: &str) -> Option<Persona> {
        self.personas()
            .into_iter()
            .find(|persona| persona.key == key)
    }

    pub(super) fn change_persona(&self, key: &str, change: impl FnOnce(&mut Persona)) {
        let mut personas = lock(&self.personas);
        if let Some(persona) = personas.iter_mut().find(|persona| persona.key == key) {
            change(persona);
        }
    }

    pub(super) fn issue_code(&self, grant: Grant) -> String {
        let code = self.random("");
        lock(&self.codes).insert(code.clone(), grant);
        code
    }

    /// Runs `redeem` with a code's grant under the lock, so that a code can only be redeemed once.
    pub(super) fn with_code<T>(
        &self,
        code: &str,
        redeem: impl FnOnce(Option<&mut Grant>) -> T,
    ) -> T {
        redeem(lock(&self.codes).get_mut(code))
    }

    /// Issues a token that starts with `prefix`.
    pub(super) fn issue_token(&self, prefix: &str, access: Access) -> String {
        let token = self.random(prefix);
        lock(&self.tokens).insert(token.clone(), access);
        token
    }

    pub(super) fn access(&self, token: &str) -> Option<Access> {
        lock(&self.tokens).get_mut(token).cloned()
    }

    fn random(&self, prefix: &str) -> String {
        prefix.to_owned() + &HEXLOWER.encode(&random_bytes::<32>(&*self.entropy))
    }
}

/// A panic cannot leave the state inconsistent, because each change is a single assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
