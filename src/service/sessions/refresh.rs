//! Issues a new token for a valid one, for the same or another organization.

use crate::domain::audit::Action;
use crate::domain::{OrganizationId, lifetimes};
use crate::service::sign_in::challenge::{Missing, PendingSignIn};
use crate::service::{Caller, Error, Profile, Result, Services, SignedIn};
use crate::store::{memberships, people, sessions};

/// The old token stays valid until it expires, so that parallel tabs and lost answers do no harm.
///
/// # Errors
/// `TokenExpired` 90 days after the session began; `TokenRevoked` when it was ended;
/// `OrganizationNotFound` if the caller is not a member of the requested organization;
/// `MfaEnrolmentRequired` when that requires a second factor and the caller has none.
pub async fn refresh(
    services: &Services,
    caller: &Caller,
    switch_to: Option<OrganizationId>,
) -> Result<SignedIn> {
    let now = services.now();
    let (user_id, session_id) = (caller.profile.id, caller.session_id()?);
    let to = switch_to.unwrap_or(caller.profile.organization_id);
    let (session, token_version, profile) = services
        .store
        .read(caller, move |tx| {
            let session = sessions::find(tx, session_id)?.ok_or(Error::InvalidToken)?;
            session.must_be_live(now)?;
            let (user, membership) =
                people::find(tx, to, user_id)?.ok_or(Error::OrganizationNotFound)?;
            if user.disabled_at.is_some() {
                return Err(Error::TokenRevoked);
            }
            let pending = PendingSignIn::of(&membership);
            if Missing::of_session(tx, pending)?.is_some() {
                return Err(Error::MfaEnrolmentRequired);
            }
            let profile = Profile::of(&user, &membership);
            Ok((session, user.token_version, profile))
        })
        .await?;

    let switches = session.organization_id != to;
    if switches || session.last_used_at + lifetimes::LAST_USED_PRECISION <= now {
        services
            .write_as(caller, move |unit, _| {
                let membership =
                    memberships::lock(unit.tx, user_id, to)?.ok_or(Error::OrganizationNotFound)?;
                let pending = PendingSignIn::of(&membership);
                if Missing::of_session(unit.tx, pending)?.is_some() {
                    return Err(Error::MfaEnrolmentRequired);
                }
                if !sessions::touch(unit.tx, session_id, to, unit.now)? {
                    return Err(Error::TokenRevoked);
                }
                if !switches {
                    return unit.unrecorded(());
                }
                let event = unit.event(Action::OrganizationSwitched).within(to);
                unit.finish(event, ())
            })
            .await?;
    }
    Ok(services.tokens.issue(now, &session, token_version, profile))
}
