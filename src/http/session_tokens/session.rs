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
    /// The slug of the session's organization; null without one.
    #[schema(required, example = "analytical-engines")]
    tenant: Option<String>,
    user: User,
    /// Null without an organization.
    #[schema(required)]
    settings: Option<Settings>,
    /// Whose data the user may see and change: `self`, `reports`, `organization`. Empty without an organization.
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
        let (profile, organization) = (view.profile, view.organization);
        let rights = profile
            .organization
            .map_or(&[][..], |active| Scope::of(active.role, profile.id).words());
        Self {
            logged: true,
            is_unlocked,
            token,
            tenant: organization.as_ref().map(|it| it.slug.to_string()),
            rights,
            user: profile.into(),
            settings: organization.map(|organization| Settings {
                join_policy: organization.join_policy,
                require_mfa: organization.require_mfa,
            }),
        }
    }
}
