//! Replaces the signing keys while the server runs.

use crate::crypto::token_keys::TokenKeys;
use crate::domain::audit::{Action, Method};
use crate::service::operations::keys::note_keys;
use crate::service::{RequestContext, Result, Services};

/// Signs and verifies with these keys from now on, even if the audit row cannot be written: removing a key must not
/// depend on the database. Unchanged keys leave no row.
///
/// # Errors
/// When the row cannot be written.
pub async fn rotate_keys(services: &Services, keys: TokenKeys) -> Result<()> {
    if !services.tokens.replace_keys(keys) {
        return Ok(());
    }
    if let Err(error) = note_keys(services).await {
        tracing::warn!(%error, "the ids of the new keys were not noted; trying again within an hour");
    }
    let context = RequestContext::signal(services);
    services
        .write(&context, |unit| {
            let event = unit.event(Action::KeysRotated).by(Method::Operator);
            unit.finish(event, ())
        })
        .await
}
