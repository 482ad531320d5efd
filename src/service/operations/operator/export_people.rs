//! Everybody, for another system.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use serde_json::json;

use crate::crypto::keyring::Keyring;
use crate::domain::UserId;
use crate::domain::audit::Action;
use crate::domain::exported_person::ExportedPerson;
use crate::service::{Error, RequestContext, Services, mfa};
use crate::store::{StoreError, Tx, people_export};

/// Why an export ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("cannot write: {0}")]
    Write(io::Error),
    #[error(
        "no secret of JWT_SECRET opens the authenticator of {0}: set JWT_SECRET as for the server, or export without \
         --with-secrets"
    )]
    Sealed(UserId),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Service(#[from] Error),
}

/// Writes a line of JSON for each person, as they all are at one moment, and returns how many there are. The secrets,
/// if they are wanted, are opened. The audit log records it, whether or not it is finished.
///
/// # Errors
/// `Sealed` if an authenticator cannot be opened; when the database cannot be read, or the lines not be written.
pub async fn export_people(
    services: &Services,
    context: &RequestContext,
    with_secrets: bool,
    out: impl Write + Send + 'static,
) -> Result<u64, ExportError> {
    services
        .operate(context, move |unit| {
            let detail = json!({"everybody": true, "secrets": with_secrets});
            unit.finish(unit.event(Action::UserExported).detail(detail), ())
        })
        .await?;
    let keyring = services.tokens.keyring();
    let write = move |tx: &mut Tx<'_>| write_all(tx, with_secrets, &keyring, BufWriter::new(out));
    services.store.snapshot(write).await
}

fn write_all(
    tx: &mut Tx<'_>,
    with_secrets: bool,
    keyring: &Arc<Keyring>,
    mut out: impl Write,
) -> Result<u64, ExportError> {
    let mut after = UserId::NIL;
    let mut count = 0;
    loop {
        let page = people_export::page(tx, after, with_secrets)?;
        let Some(last) = page.last() else {
            out.flush().map_err(ExportError::Write)?;
            return Ok(count);
        };
        after = last.id;
        count += page.len() as u64;
        for person in page {
            let person = opened(person, keyring)?;
            serde_json::to_writer(&mut out, &person)
                .map_err(|error| ExportError::Write(error.into()))?;
            out.write_all(b"\n").map_err(ExportError::Write)?;
        }
    }
}

fn opened(mut person: ExportedPerson, keyring: &Keyring) -> Result<ExportedPerson, ExportError> {
    let id = person.id;
    let sealed = person
        .secrets
        .as_mut()
        .and_then(|secrets| secrets.totp.as_mut());
    if let Some(text) = sealed {
        let secret = mfa::open_secret(text, id, keyring).ok_or(ExportError::Sealed(id))?;
        *text = secret.base32();
    }
    Ok(person)
}
