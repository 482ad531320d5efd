//! Slack's OAuth 2 flow (v2): a user token, and `users.info` to identify the user.

use oauth2::TokenResponse as _;
use serde::Deserialize;

use super::http::RequestError;
use super::{Named, Slack, unavailable};
use crate::domain::{SignInFailure, SlackAccount, SlackPerson};
use crate::ports::slack::{Arrival, Exchange, WorkspaceName};

pub(super) const AUTHORIZE: &str = "/oauth/v2/authorize";

pub(super) const SCOPES: &[(&str, &str)] = &[("user_scope", "users:read,users:read.email")];

#[derive(Deserialize)]
struct UsersInfo {
    user: User,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "Slack's API has them")]
struct User {
    id: String,
    team_id: String,
    deleted: bool,
    real_name: Option<String>,
    is_admin: bool,
    is_owner: bool,
    is_primary_owner: bool,
    is_restricted: bool,
    is_ultra_restricted: bool,
    is_bot: bool,
    is_email_confirmed: bool,
    profile: Profile,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Profile {
    email: Option<String>,
    real_name: Option<String>,
}

impl Slack {
    pub(super) async fn arrival_v2(
        &self,
        exchange: Exchange<'_>,
    ) -> Result<Arrival, SignInFailure> {
        let tokens = self.tokens("/api/oauth.v2.access", exchange).await?;
        let fields = tokens.extra_fields();
        let unexpected = || unavailable(RequestError::UNEXPECTED);
        let user_id = &fields.authed_user.as_ref().ok_or_else(unexpected)?.id;
        let (team, is_enterprise) = match (&fields.team, &fields.enterprise) {
            (Some(team), _) => (team, false),
            (None, Some(enterprise)) => (enterprise, true),
            (None, None) => return Err(unexpected()),
        };
        let Named { id: team_id, name } = team;
        let account = SlackAccount::parse(team_id, user_id).ok_or_else(unexpected)?;

        let mut url = self.at("/api/users.info");
        url.query_pairs_mut().append_pair("user", user_id);
        let users_info: UsersInfo = self.http.ask(url, tokens.access_token().secret()).await?;
        let user = users_info.user;
        if user.id != *user_id {
            return Err(unexpected());
        }
        // A user from another workspace is a guest here, whatever the other fields say. Enterprise Grid is
        // different: a user can belong to several workspaces.
        if !is_enterprise && fields.enterprise.is_none() && user.team_id != *team_id {
            return Err(SignInFailure::NotAllowed);
        }
        let person = SlackPerson {
            account,
            name: user.profile.real_name.or(user.real_name),
            email: user.profile.email.filter(|_| user.is_email_confirmed),
            is_admin: user.is_admin || user.is_owner || user.is_primary_owner,
            is_guest: user.is_restricted || user.is_ultra_restricted,
            is_bot: user.is_bot,
            is_deactivated: user.deleted,
        };
        Ok(Arrival {
            person,
            workspace_name: WorkspaceName::Told(name.clone()),
        })
    }
}
