//! Counting what hashes a password, by address and by account.

use crate::domain::AddressBlock;
use crate::service::limits::hashing_permit::{HashingPermit, Whose};
use crate::service::limits::{Group, Key, draw};
use crate::service::{Caller, RequestContext, Result, Services};

/// As [`permit_hashing`], of the caller's own password.
///
/// # Errors
/// As [`permit_hashing`].
pub(in crate::service) async fn permit_hashing_of(
    services: &Services,
    caller: &Caller,
) -> Result<HashingPermit> {
    let whose = Whose::User(caller.profile.id);
    permit_hashing(services, caller.context_of_limits(), whose).await
}

/// Takes one out of the login bucket of the address, unless its route has done so, and one out of the account's.
///
/// An address that a stranger typed has no bucket, or strangers could empty that of its owner.
///
/// # Errors
/// `TooManyRequests`.
pub(in crate::service) async fn permit_hashing(
    services: &Services,
    context: &RequestContext,
    whose: Whose,
) -> Result<HashingPermit> {
    let address = context.address.map(AddressBlock::from);
    // First, so that the refusals of one account use up nothing of those behind the same address.
    if let Whose::User(id) = &whose {
        draw(services, context, Group::Login, Key::Account(*id)).await?;
    }
    if !context.is_counted_as_hashing {
        draw(services, context, Group::Login, Key::Address(address)).await?;
    }
    Ok(HashingPermit::new(&whose, address))
}
