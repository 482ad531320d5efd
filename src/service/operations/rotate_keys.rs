//! Other signing keys while the server runs.

use crate::crypto::keyring::Keyring;
use crate::domain::audit::{Action, Outcome};
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::audit;

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
    let entry = services.audit(&context, services.now(), Action::KeysRotated, Outcome::Ok);
    services
        .store
        .write(move |tx| audit::insert(tx, &entry).map_err(Error::from))
        .await
}
