//! A new password for somebody who reads the account's mail.

use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::{Change, Email, EmailMessage, lifetimes};
use crate::service::accounts::claim_account::claim_account;
use crate::service::accounts::email_proof::Mailbox;
use crate::service::limits::forgive;
use crate::service::mail::rate_limit;
use crate::service::{Error, RequestContext, Result, Services, one_time, record_changes};
use crate::store::one_time_tokens::Purpose;
use crate::store::{audit, memberships, sessions, users};

/// Every session ends and every token is called back; nobody is signed in by it. The mail proves the address as
/// well. A second factor stays what it was: the mailbox is the first one's substitute alone.
///
/// # Errors
/// `Invalid` for a password that breaks a rule, which leaves the token as good as it was; `InvalidOrExpiredToken`.
pub async fn reset_password(
    services: &Services,
    context: &RequestContext,
    token: &str,
    new_password: &str,
) -> Result<()> {
    let now = services.now();
    let token = token.to_owned();
    let seen = token.clone();
    let user = services
        .store
        .read(move |tx| {
            let link: Option<Mailbox> = one_time::find(tx, &seen, Purpose::ResetPassword, now)?;
            let account = link.map(|link| link.find(tx)).transpose()?.flatten();
            account.ok_or(Error::InvalidOrExpiredToken)
        })
        .await?
        .user;
    let email = user.email.as_ref();
    let user_inputs = [
        email.map_or("", Email::as_str),
        email.map_or("", Email::local_part),
        user.name.as_str(),
    ];
    let new = services
        .passwords
        .read_new("password", new_password, &user_inputs)
        .await?;
    let new_hash = services.passwords.hash(new).await?;

    let now = services.now();
    let email_sealer = services.email_sealer(now);
    let entry = services.audit(context, now, Action::PasswordReset, Outcome::Ok);
    let account_name = email.map(|email| services.account_name(email.as_str()));
    let changes = services
        .store
        .write(move |tx| {
            let link: Mailbox = one_time::redeem(tx, &token, Purpose::ResetPassword, now)?
                .ok_or(Error::InvalidOrExpiredToken)?;
            let account = link.lock(tx)?.ok_or(Error::InvalidOrExpiredToken)?;
            let user_id = account.user.id;
            claim_account(tx, &account, now)?;
            users::set_password_hash(tx, user_id, new_hash.as_str(), now)?;
            if let Some(account_name) = &account_name {
                forgive(tx, account_name)?;
            }
            one_time::revoke_after_credential_change(tx, user_id)?;
            let min_token_version = users::raise_token_version(tx, user_id, now)?;
            sessions::revoke_all(tx, user_id, None, now)?;
            let letter = EmailMessage::PasswordChanged {
                name: account.user.name.to_string(),
                token: None,
            };
            rate_limit::send_notice(tx, &email_sealer.write(link.email(), &letter), true)?;
            let memberships = memberships::list_of_user(tx, user_id)?;
            let entry = AuditEntry {
                actor_id: Some(user_id),
                subject_id: Some(user_id),
                organization_id: memberships.first().map(|first| first.organization_id),
                ..entry
            };
            audit::insert(tx, &entry)?;
            let changes = [
                Change::TokensRevoked {
                    user_id,
                    min_token_version,
                },
                Change::PersonChanged { user_id },
            ];
            record_changes(tx, &changes, now)?;
            Ok::<_, Error>(changes)
        })
        .await?;
    services
        .revocations
        .apply(&changes, now + lifetimes::ACCESS_TOKEN);
    Ok(())
}
