//! Undoes a new API token or authenticator with the link in the notice about it.

use serde_json::json;

use crate::domain::Change;
use crate::domain::audit::{Action, Method};
use crate::service::accounts::undo_link::{UndoLink, Undoable};
use crate::service::api_tokens::end_with_sessions::{Ending, end_with_sessions};
use crate::service::mfa::reset::remove_and_sign_out;
use crate::service::{Error, RequestContext, Result, Services, one_time};
use crate::store::one_time_tokens::Purpose;
use crate::store::{api_tokens, memberships, totp, users};

/// Revokes the API token; or removes the authenticator, if it is still the one that the notice was about, and ends
/// every session and the API tokens that these made. Needs no sign-in.
///
/// # Errors
/// `InvalidOrExpiredToken`, also if there is nothing left to undo.
pub async fn undo_by_link(
    services: &Services,
    context: &RequestContext,
    token: &str,
) -> Result<()> {
    let token = token.to_owned();
    services
        .write(context, move |unit| {
            let now = unit.now;
            let gone = || Error::InvalidOrExpiredToken;
            let link: UndoLink =
                one_time::find(unit.tx, &token, Purpose::Undo, now)?.ok_or_else(gone)?;
            let user_id = link.user_id;
            let user = users::lock_account(unit.tx, user_id)?
                .ok_or_else(gone)?
                .user;
            // Only now, because others lock the account before they delete its links.
            one_time::redeem::<UndoLink>(unit.tx, &token, Purpose::Undo, now)?.ok_or_else(gone)?;
            let event = match link.undoable {
                Undoable::ApiToken {
                    id,
                    organization_id,
                } => {
                    api_tokens::revoke(unit.tx, id, organization_id, Some(user_id), now)?
                        .ok_or_else(gone)?;
                    unit.changed(Change::PersonChanged { user_id });
                    let event = unit.event(Action::ApiTokenRevoked).within(organization_id);
                    event.detail(json!({"id": id}))
                }
                Undoable::Authenticator { enrolled_at } => {
                    if totp::enrolled_at(unit.tx, user_id)? != Some(enrolled_at) {
                        return Err(gone());
                    }
                    end_with_sessions(unit, user_id, None, Ending::MadeBySessions)?;
                    remove_and_sign_out(unit, &user)?;
                    let organization_id = memberships::first_of_user(unit.tx, user_id)?;
                    unit.event(Action::MfaDisabled).within(organization_id)
                }
            };
            unit.finish(event.about(user_id).by(Method::EmailLink), ())
        })
        .await
}
