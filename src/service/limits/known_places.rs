//! Where users have signed in before: their addresses and browsers, which a lock of their account spares.

use crate::crypto::device_marks;
use crate::domain::{AddressBlock, DeviceOwner, User};
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{RequestContext, Services};
use crate::store::{StoreError, known_addresses};

/// The latest ones are kept.
const ADDRESSES_PER_USER: usize = 20;

/// Remembers from where a user signs in, in the transaction of the sign-in.
pub(in crate::service) fn remember_place(
    unit: &mut UnitOfWork<'_, '_>,
    user: &User,
) -> Result<(), StoreError> {
    if let Some(address) = unit.address() {
        let block = AddressBlock::from(address);
        known_addresses::remember(unit.tx, user.id, block, unit.now, ADDRESSES_PER_USER)?;
    }
    unit.signed_in(user.into());
    Ok(())
}

/// Whether the user has signed in with this browser before.
pub(in crate::service) fn is_marked(unit: &UnitOfWork<'_, '_>, user: &User) -> bool {
    let (marks, keyring) = (unit.marks(), unit.keyring());
    device_marks::find(marks, user.into(), unit.now, keyring).is_some()
}

impl Services {
    /// Finds the mark of an owner in the request's browser.
    pub(in crate::service) fn marks(
        &self,
        context: &RequestContext,
    ) -> impl Fn(DeviceOwner) -> Option<String> + Send + use<> {
        let (browser, now) = (context.browser.clone(), self.now());
        let keyring = self.tokens.keyring();
        move |owner| {
            let marks = &browser.as_ref()?.marks;
            device_marks::find(marks, owner, now, &keyring).map(str::to_owned)
        }
    }

    /// The marks that a browser keeps from now on, after it has signed in `owner`.
    pub fn renewed_marks(&self, earlier: &str, owner: DeviceOwner) -> String {
        let (now, random) = (self.now(), self.random());
        device_marks::renewed(earlier, owner, now, random, &self.tokens.keyring())
    }
}
