//! Other signing keys while the server runs.

use crate::crypto::keyring::Keyring;
use crate::domain::audit::{Action, Method};
use crate::service::{RequestContext, Result, Services};

/// Signs and verifies with these keys from now on, whatever becomes of the row that says so: whoever takes a secret
/// away must not wait for a database. Keys that were in force already leave no row.
///
/// # Errors
/// When the row cannot be written.
pub async fn rotate_keys(services: &Services, keyring: Keyring) -> Result<()> {
    if !services.tokens.replace_keyring(keyring) {
        return Ok(());
    }
    let context = RequestContext::signal(services);
    services
        .write(&context, |unit| {
            let event = unit.event(Action::KeysRotated).by(Method::Operator);
            unit.finish(event, ())
        })
        .await
}
