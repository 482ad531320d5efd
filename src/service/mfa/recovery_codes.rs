//! Ten codes for users who have lost their authenticator.

use crate::crypto::opaque::OpaqueHash;
use crate::crypto::recovery_code::RecoveryCode;
use crate::domain::UserId;
use crate::service::unit_of_work::UnitOfWork;
use crate::store::{StoreError, recovery_codes};

const CODES: usize = 10;

/// New codes, not shown yet.
pub struct NewCodes(Vec<RecoveryCode>);

impl NewCodes {
    /// Generates codes and stores their hashes, replacing earlier ones.
    pub(in crate::service) fn store(
        unit: &mut UnitOfWork<'_, '_>,
        user_id: UserId,
    ) -> Result<Self, StoreError> {
        let codes: Vec<_> = (0..CODES)
            .map(|_| RecoveryCode::new(unit.random()))
            .collect();
        let hashes: Vec<_> = codes.iter().map(RecoveryCode::hash).collect();
        let hashes: Vec<&str> = hashes.iter().map(OpaqueHash::as_str).collect();
        recovery_codes::replace(unit.tx, user_id, &hashes)?;
        Ok(Self(codes))
    }

    /// As they are shown.
    pub fn expose(&self) -> Vec<String> {
        self.0.iter().map(RecoveryCode::expose).collect()
    }
}
