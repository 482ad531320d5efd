//! Newly created recovery codes, as clients see them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::service::mfa::NewCodes;

/// Ten codes that each replace the authenticator's code once. They are not shown again.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecoveryCodes {
    #[schema(min_items = 10, max_items = 10, example = json!(["gayt-emzu-gu3d-oobz"]))]
    recovery_codes: Vec<String>,
}

impl From<&NewCodes> for RecoveryCodes {
    fn from(codes: &NewCodes) -> Self {
        Self {
            recovery_codes: codes.expose(),
        }
    }
}
