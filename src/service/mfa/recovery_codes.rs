//! Ten codes for the day on which the authenticator is lost.

use crate::crypto::opaque::OpaqueHash;
use crate::crypto::recovery_code::RecoveryCode;
use crate::domain::UserId;
use crate::service::Services;
use crate::store::{StoreError, Tx, recovery_codes};

const CODES: usize = 10;

/// Codes that only their owner will know.
#[derive(Clone)]
pub struct NewCodes(Vec<RecoveryCode>);

pub(in crate::service) fn new_recovery_codes(services: &Services) -> NewCodes {
    let new = || RecoveryCode::new(services.random());
    NewCodes(std::iter::repeat_with(new).take(CODES).collect())
}

impl NewCodes {
    /// As they are shown.
    pub fn expose(&self) -> Vec<String> {
        self.0.iter().map(RecoveryCode::expose).collect()
    }

    /// Keeps their hashes, in place of all earlier ones.
    pub(in crate::service) fn keep(
        &self,
        tx: &mut Tx<'_>,
        user_id: UserId,
    ) -> Result<(), StoreError> {
        let hashes: Vec<_> = self.0.iter().map(RecoveryCode::hash).collect();
        let hashes: Vec<&str> = hashes.iter().map(OpaqueHash::as_str).collect();
        recovery_codes::replace(tx, user_id, &hashes)
    }
}
