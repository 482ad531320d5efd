//! A new password for somebody who reads the account's mail.

use super::claim_account::claim_account;
use super::limits::forgive;
use super::mailbox::Mailbox;
use super::{Error, RequestContext, Result, Services, mail_limit, one_time, record_changes};
use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::{Change, Email, Letter, lifetimes};
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
    let own_words = [
        email.map_or("", Email::as_str),
        email.map_or("", Email::local_part),
        user.name.as_str(),
    ];
    let new = services
        .passwords
        .read_new("password", new_password, &own_words)
        .await?;
    let new_hash = services.passwords.hash(new).await?;

    let now = services.now();
    let stationery = services.stationery(now);
    let entry = services.audit(context, now, Action::PasswordReset, Outcome::Ok);
    let account_name = email.map(|email| services.account_name(email.as_str()));
    let changes = services
        .store
        .write(move |tx| {
            let link: Mailbox = one_time::take(tx, &token, Purpose::ResetPassword, now)?
                .ok_or(Error::InvalidOrExpiredToken)?;
            let account = link.hold(tx)?.ok_or(Error::InvalidOrExpiredToken)?;
            let user_id = account.user.id;
            claim_account(tx, &account, now)?;
            users::set_password_hash(tx, user_id, new_hash.as_str(), now)?;
            if let Some(account_name) = &account_name {
                forgive(tx, account_name)?;
            }
            one_time::forget_after_credential_change(tx, user_id)?;
            let min_ver = users::raise_ver(tx, user_id, now)?;
            sessions::revoke_all(tx, user_id, None, now)?;
            let letter = Letter::PasswordChanged {
                name: account.user.name.to_string(),
                token: None,
            };
            mail_limit::send_notice(tx, &stationery.write(link.email(), &letter), true)?;
            let memberships = memberships::list_of_user(tx, user_id)?;
            let entry = AuditEntry {
                actor_id: Some(user_id),
                subject_id: Some(user_id),
                organization_id: memberships.first().map(|first| first.organization_id),
                ..entry
            };
            audit::insert(tx, &entry)?;
            let changes = [
                Change::TokensCalledBack { user_id, min_ver },
                Change::PersonChanged { user_id },
            ];
            record_changes(tx, &changes, now)?;
            Ok::<_, Error>(changes)
        })
        .await?;
    services.feed.note(&changes, now + lifetimes::ACCESS_TOKEN);
    Ok(())
}
