//! Authenticates other services by their keys.

use crate::crypto::marked_secret::ServiceKeySecret;
use crate::domain::service_account::{LAST_USED_PRECISION, ServiceName};
use crate::domain::{ServiceId, ServiceKeyId};
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::{Requester, services as table};

/// A service that has shown its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCaller {
    pub id: ServiceId,
    pub name: ServiceName,
    pub key_id: ServiceKeyId,
}

impl ServiceCaller {
    /// Whether this is its name or its id.
    pub fn is_called(&self, text: &str) -> bool {
        self.name.as_str() == text || self.id.to_string() == text
    }
}

/// Takes one look-up in the database, so that a removed key is refused at once.
///
/// # Errors
/// `InvalidToken` for anything that is not the key of a service; `Unavailable` if the database does not answer.
pub async fn authenticate_service(
    services: &Services,
    context: &RequestContext,
    text: &str,
) -> Result<ServiceCaller> {
    let secret = ServiceKeySecret::parse(text).ok_or(Error::InvalidToken)?;
    let hash = secret.hash();
    let (id, name, key) = services
        .store
        .look_up(context, move |tx| table::find_by_hash(tx, hash.as_str()))
        .await?
        .ok_or(Error::InvalidToken)?;
    let now = services.now();
    let earlier = now - LAST_USED_PRECISION;
    if key.last_used_at.is_none_or(|last| last <= earlier) {
        let key_id = key.id;
        let noted = services
            .store
            .record_use(Requester::from(context), move |tx| {
                table::touch_key(tx, key_id, earlier, now)
            })
            .await;
        // The request succeeds nevertheless.
        if let Err(error) = noted {
            tracing::warn!(%error, service = %name, "the use of a service's key was not recorded");
        }
    }
    Ok(ServiceCaller {
        id,
        name,
        key_id: key.id,
    })
}
