//! Other services and their keys, managed by the operator.

use serde_json::json;

use crate::crypto::marked_secret::ServiceKeySecret;
use crate::domain::audit::Action;
use crate::domain::service_account::{MAX_KEYS, ServiceAccount, ServiceKey, ServiceName};
use crate::domain::{ServiceId, ServiceKeyId};
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::{Requester, services as table};

/// A new key, whose secret is shown once.
pub struct AddedKey {
    pub secret: ServiceKeySecret,
    pub key: ServiceKey,
    /// The key that the service has besides.
    pub other: Option<ServiceKey>,
}

/// Adds a key to a service, which is new if none has the name; `None` if it has two keys already.
///
/// # Errors
/// When the database fails.
pub async fn add_service_key(
    services: &Services,
    context: &RequestContext,
    name: ServiceName,
) -> Result<Option<AddedKey>> {
    services
        .operate(context, move |unit| {
            let id = ServiceId::new(unit.now, unit.random());
            let id = table::find_or_insert(unit.tx, id, &name, unit.now)?;
            let mut keys = table::list_keys(unit.tx, id)?;
            if keys.len() >= MAX_KEYS {
                return unit.unrecorded(None);
            }
            let secret = ServiceKeySecret::new(unit.random());
            let key = ServiceKey {
                id: ServiceKeyId::new(unit.now, unit.random()),
                prefix: secret.prefix(),
                created_at: unit.now,
                last_used_at: None,
            };
            table::insert_key(unit.tx, id, &key, secret.hash().as_str())?;
            let event = unit.event(Action::ServiceKeyAdded);
            let event = event.detail(json!({"service": name.as_str(), "key": &key.prefix}));
            let added = AddedKey {
                secret,
                key,
                other: keys.pop(),
            };
            unit.finish(event, Some(added))
        })
        .await
}

/// Every service, by name.
///
/// # Errors
/// When the database cannot be read.
pub async fn list_services(services: &Services) -> Result<Vec<ServiceAccount>> {
    services
        .store
        .read(Requester::OPERATOR, |tx| {
            table::list(tx).map_err(Error::from)
        })
        .await
}

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    Service,
    Key,
    /// No service has the name.
    NoSuchService,
    /// The service has no key that begins so.
    NoSuchKey,
}

/// Removes a service with its keys, or the key that begins with `prefix`. It stops working at once, except that a stream
/// of revocations ends within some seconds.
///
/// # Errors
/// When the database fails.
pub async fn remove_service(
    services: &Services,
    context: &RequestContext,
    name: ServiceName,
    prefix: Option<String>,
) -> Result<Removed> {
    services
        .operate(context, move |unit| {
            let Some(id) = table::find_by_name(unit.tx, &name)? else {
                return unit.unrecorded(Removed::NoSuchService);
            };
            let Some(prefix) = prefix else {
                table::delete(unit.tx, id)?;
                let event = unit.event(Action::ServiceRemoved);
                let event = event.detail(json!({"service": name.as_str()}));
                return unit.finish(event, Removed::Service);
            };
            let keys = table::list_keys(unit.tx, id)?;
            let Some(key) = keys.into_iter().find(|key| key.prefix == prefix) else {
                return unit.unrecorded(Removed::NoSuchKey);
            };
            table::delete_key(unit.tx, key.id)?;
            let event = unit.event(Action::ServiceKeyRemoved);
            let event = event.detail(json!({"service": name.as_str(), "key": key.prefix}));
            unit.finish(event, Removed::Key)
        })
        .await
}
