//! Whether the caller signs in with a second factor.

use crate::service::{Caller, Error, Result, Services};
use crate::store::{recovery_codes, totp};

pub struct Status {
    pub is_enabled: bool,
    pub recovery_codes_left: i64,
}

/// # Errors
/// `Forbidden` for a service.
pub async fn status(services: &Services, caller: &Caller) -> Result<Status> {
    caller.session_id()?;
    let user_id = caller.profile.id;
    services
        .store
        .read(caller, move |tx| {
            Ok::<_, Error>(Status {
                is_enabled: totp::is_enrolled(tx, user_id)?,
                recovery_codes_left: recovery_codes::count(tx, user_id)?,
            })
        })
        .await
}
