//! Resets a password with a link from an e-mail.

use serde_json::json;

use crate::crypto::password::StoredHash;
use crate::domain::audit::{Action, Method};
use crate::domain::{Change, EmailMessage, Organization, OwnWords, User};
use crate::service::accounts::claim_account::{ClaimEffects, claim_account};
use crate::service::accounts::email_proof::EmailProof;
use crate::service::api_tokens::end_with_sessions::{Ending, end_with_sessions};
use crate::service::hashing::passwords::GUESSED_ORGANIZATIONS;
use crate::service::limits::{Whose, permit_hashing, unlock_account};
use crate::service::mail::gate;
use crate::service::unit_of_work::LockedOrganizations;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, RequestContext, Result, Services, one_time};
use crate::store::one_time_tokens::Purpose;
use crate::store::{
    external_ids, known_addresses, known_devices, memberships, organizations, users,
};

/// Ends every session, every access token and API tokens, and does not sign in. The link also verifies the address. A
/// second factor stays: access to the mailbox replaces the password only. Returns what else has ended.
///
/// # Errors
/// `Invalid` for a password that breaks a rule, which leaves the token valid; `InvalidOrExpiredToken`.
pub async fn reset_password(
    services: &Services,
    context: &RequestContext,
    token: &str,
    new_password: &str,
    api_tokens: Ending,
) -> Result<ClaimEffects> {
    let now = services.now();
    let token = token.to_owned();
    let seen = token.clone();
    let (user, organizations) = services
        .store
        .read(context, move |tx| {
            let link: Option<EmailProof> = one_time::find(tx, &seen, Purpose::ResetPassword, now)?;
            let account = link.map(|link| link.find(tx)).transpose()?.flatten();
            let user = account.ok_or(Error::InvalidOrExpiredToken)?.user;
            let organizations = organizations::list_of_user(tx, user.id, GUESSED_ORGANIZATIONS)?;
            Ok::<_, Error>((user, organizations))
        })
        .await?;
    let new = NewPassword::read(services, context, &user, &organizations, new_password).await?;
    let user_id = user.id;
    services
        .write(context, move |unit| {
            let now = unit.now;
            let link: EmailProof = one_time::find(unit.tx, &token, Purpose::ResetPassword, now)?
                .ok_or(Error::InvalidOrExpiredToken)?;
            let locked = LockedOrganizations::of(unit, user_id, &[])?;
            let account = link.lock(unit.tx)?.ok_or(Error::InvalidOrExpiredToken)?;
            // Only now, because others lock the account before they delete its links.
            one_time::redeem::<EmailProof>(unit.tx, &token, Purpose::ResetPassword, now)?
                .ok_or(Error::InvalidOrExpiredToken)?;
            let effects = claim_account(unit, &account, &locked)?;
            let ended = new.set(unit, &account.user, effects, true, api_tokens)?;
            let organization_id = memberships::first_of_user(unit.tx, user_id)?;
            let event = unit.event(Action::PasswordReset).own(user_id);
            let event = event.detail(json!({
                "detachedSlack": effects.detaches_slack,
                "leftOrganizations": effects.leaves_organizations,
                "apiTokensEnded": ended,
            }));
            unit.finish(event.within(organization_id).by(Method::EmailLink), effects)
        })
        .await
}

/// A password that replaces the one of an account, with everything that began with the old one.
#[derive(Clone)]
pub(in crate::service) struct NewPassword(StoredHash);

impl NewPassword {
    /// # Errors
    /// `Invalid` for a password that breaks a rule; `TooManyRequests` and `Busy` when too many are hashed.
    pub(in crate::service) async fn read(
        services: &Services,
        context: &RequestContext,
        user: &User,
        organizations: &[Organization],
        password: &str,
    ) -> Result<Self> {
        let own = OwnWords::new(user.email.as_ref(), [user.name.as_str()]).with(organizations);
        let permit = permit_hashing(services, context, Whose::LinkHolder(user.id)).await?;
        let password = services
            .passwords
            .read_new(&permit, "password", password, own)
            .await?;
        Ok(Self(services.passwords.hash(&permit, password).await?))
    }

    /// Sets it, unlocks the account, forgets where it was used, ends every session, revokes every token, and notifies
    /// the owner, also of what else has ended. The account is locked. Returns how many API tokens ended.
    pub(in crate::service) fn set(
        &self,
        unit: &mut UnitOfWork<'_, '_>,
        user: &User,
        effects: ClaimEffects,
        is_verified: bool,
        api_tokens: Ending,
    ) -> Result<usize> {
        let user_id = user.id;
        users::set_password_hash(unit.tx, user_id, self.0.as_str(), unit.now)?;
        external_ids::note_new_password(unit.tx, user_id, unit.now)?;
        unlock_account(unit, user)?;
        known_addresses::delete_of_user(unit.tx, user_id)?;
        known_devices::delete_of_user(unit.tx, user_id)?;
        one_time::revoke_after_credential_change(unit.tx, user_id)?;
        let ended = end_with_sessions(unit, user_id, None, api_tokens)?;
        unit.revoke_tokens(user_id)?;
        unit.changed(Change::PersonChanged { user_id });
        if let Some(email) = user.email.clone() {
            let message = EmailMessage::PasswordChanged {
                name: user.name.to_string(),
                token: None,
                detached_slack: effects.detaches_slack,
                left_organizations: effects.leaves_organizations,
            };
            gate::send_notice(unit, user_id, email, &message, is_verified)?;
        }
        Ok(ended)
    }
}
