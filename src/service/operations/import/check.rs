//! Proves after a run that its people can sign in.

use std::collections::BTreeMap;

use serde::Serialize;

use super::password_form::form_of;
use super::run::find_import;
use crate::domain::{Email, ImportId, UserId};
use crate::service::accounts::verify_credentials::verify_credentials;
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::{Requester, external_ids, users};

/// Some people of a run, chosen at random.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportSample {
    pub people: Vec<SampledPerson>,
    /// How many of their passwords are stored in which form.
    pub passwords: BTreeMap<String, u64>,
    pub without_password: u64,
    /// Of whose passwords the form is unknown, so that nobody could sign in with them.
    pub unusable: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SampledPerson {
    pub id: UserId,
    pub external_id: String,
    pub email: Option<String>,
    pub has_password: bool,
}

/// # Errors
/// `Import(Unknown)`; when the database does not answer.
pub async fn sample_import(services: &Services, id: ImportId, count: u32) -> Result<ImportSample> {
    let run = find_import(services, id).await?;
    let found = services
        .store
        .read(Requester::OPERATOR, move |tx| {
            let chosen = external_ids::sample(tx, (id, &run.source), count)?;
            let ids: Vec<UserId> = chosen.iter().map(|(_, id)| *id).collect();
            Ok::<_, Error>((chosen, users::list_accounts(tx, &ids)?))
        })
        .await?;
    let (chosen, accounts) = found;
    let mut sample = ImportSample {
        people: Vec::new(),
        passwords: BTreeMap::new(),
        without_password: 0,
        unusable: 0,
    };
    for (external_id, user_id) in chosen {
        let Some(account) = accounts.iter().find(|account| account.user.id == user_id) else {
            continue;
        };
        match account.password_hash.as_deref() {
            None => sample.without_password += 1,
            Some(text) => match form_of(text) {
                Some(form) => *sample.passwords.entry(form).or_default() += 1,
                None => sample.unusable += 1,
            },
        }
        sample.people.push(SampledPerson {
            id: user_id,
            external_id,
            email: account.user.email.as_ref().map(ToString::to_string),
            has_password: account.password_hash.is_some(),
        });
    }
    Ok(sample)
}

/// Whether a password signs in, without signing in.
///
/// # Errors
/// As for a sign-in, but for `InvalidCredentials`.
pub async fn check_password(
    services: &Services,
    context: &RequestContext,
    email: Email,
    password: &str,
) -> Result<bool> {
    match verify_credentials(services, context, email, password).await {
        Ok(_) => Ok(true),
        Err(Error::InvalidCredentials) => Ok(false),
        Err(error) => Err(error),
    }
}
