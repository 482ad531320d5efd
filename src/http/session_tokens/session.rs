//! A session as the client of its token sees it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{JoinPolicy, Scope};
use crate::http::token_api::user::User;
use crate::service::session_tokens::View;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionOfToken {
    /// Always true; failures have an error status.
    #[schema(example = true)]
    logged: bool,
    /// False until the second factor is verified: the token is valid for unlock and logout only.
    #[schema(example = true)]
    is_unlocked: bool,
    /// Only with `returnToken: true`; otherwise it is in a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Zm9yIGV4YW1wbGUgb25seSwgYW5kIG5vdCBhIHRva2VuIG9mIGFueWJvZHkncyEh")]
    token: Option<String>,
    /// The slug of the session's organization.
    #[schema(example = "analytical-engines")]
    tenant: String,
    user: User,
    settings: Settings,
    /// Whose data the user may see and change: `self`, `reports`, `organization`.
    #[schema(value_type = Vec<String>, example = json!(["self", "reports"]))]
    rights: &'static [&'static str],
}

/// The organization's settings that concern its members.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Settings {
    join_policy: JoinPolicy,
    #[schema(example = false)]
    require_mfa: bool,
}

impl SessionOfToken {
    pub(crate) fn new(view: View, is_unlocked: bool, token: Option<String>) -> Self {
        Self {
            logged: true,
            is_unlocked,
            token,
            tenant: view.organization.slug.as_str().to_owned(),
            rights: Scope::of(view.profile.role, view.profile.id).words(),
            user: view.profile.into(),
            settings: Settings {
                join_policy: view.organization.join_policy,
                require_mfa: view.organization.require_mfa,
            },
        }
    }
}
