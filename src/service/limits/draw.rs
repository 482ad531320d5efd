//! Counting an act against a bucket that only its verb can name: of an account, of an organization, of the instance.

use crate::service::limits::{Group, Key, note_refusal, try_acquire};
use crate::service::{Caller, Error, RequestContext, Result, Services};

/// As [`draw`], for a caller.
///
/// # Errors
/// As [`draw`].
pub(in crate::service) async fn draw_as(
    services: &Services,
    caller: &Caller,
    group: Group,
    key: Key,
) -> Result<()> {
    draw(services, caller.context_of_limits(), group, key).await
}

/// Takes one out of a bucket.
///
/// # Errors
/// `TooManyRequests`, which is recorded like those of addresses.
pub(in crate::service) async fn draw(
    services: &Services,
    context: &RequestContext,
    group: Group,
    key: Key,
) -> Result<()> {
    match try_acquire(services, group, key) {
        Some(allowance) if !allowance.is_granted => {
            note_refusal(services, context, group, key).await;
            Err(Error::TooManyRequests {
                group,
                retry_after: allowance.seconds,
            })
        }
        _ => Ok(()),
    }
}
