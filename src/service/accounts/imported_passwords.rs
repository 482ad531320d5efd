//! The passwords that other systems have stored, until their owners sign in.

use stored_passwords::{ImportedHash, Peppers};

use crate::crypto::password::StoredHash;
use crate::domain::UserId;
use crate::service::hashing::passwords::usable;
use crate::service::hashing::stored_forms::Tally;
use crate::service::{Database, Error, Result, Services};
use crate::store::Requester;
use crate::store::users::{self, Passwords};

/// How many are read at once.
const READ: i64 = 2000;

/// Counts which forms are stored, for comparisons with nothing.
///
/// # Errors
/// When the database cannot be read.
pub async fn count_forms(services: &Services) -> Result<()> {
    let mut tally = Tally::default();
    let mut pages = Pages::of(Passwords::Imported);
    while let Some(page) = pages.next(&services.store).await? {
        for (_, stored) in page {
            if let Ok(hash) = services.passwords.comparable(&stored) {
                tally.add(&hash);
            }
        }
    }
    let accounts = match tally.count() {
        0 => 0,
        _ => {
            let counted = services
                .store
                .read(Requester::HOUSEKEEPING, users::count_with_address);
            u64::try_from(counted.await?).unwrap_or_default()
        }
    };
    services.passwords.set_forms(tally.of_all(accounts));
    Ok(())
}

/// Puts weak hashes into bcrypt, one after the other, while no request wants to hash. Of each page instances begin
/// with different ones; when two have wrapped the same one, the first counts, and so does a sign-in meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn wrap_weak(services: &Services) -> Result<()> {
    let mut pages = Pages::of(Passwords::Imported);
    while let Some(page) = pages.next(&services.store).await? {
        let mut weak: Vec<(UserId, ImportedHash)> = page
            .into_iter()
            .filter_map(|(id, stored)| Some((id, ImportedHash::parse(stored.as_str()).ok()?)))
            .filter(|(_, hash)| hash.is_weak())
            .collect();
        let begin = usize::from_le_bytes(services.random());
        let begin = begin.checked_rem(weak.len()).unwrap_or_default();
        weak.rotate_left(begin);
        for (id, hash) in weak {
            wrap(services, id, &hash).await?;
        }
    }
    Ok(())
}

async fn wrap(services: &Services, id: UserId, hash: &ImportedHash) -> Result<()> {
    let stored = StoredHash::from(hash);
    if !is_stored(services, id, stored.clone()).await? {
        return Ok(());
    }
    let Some(wrapped) = services.passwords.wrap(hash).await else {
        return Ok(());
    };
    let wrapped = StoredHash::from(&wrapped);
    services
        .store
        .maintain(move |tx| {
            users::replace_password_hash(tx, id, stored.as_str(), wrapped.as_str()).map(drop)
        })
        .await
        .map_err(Error::from)
}

/// Whether nobody has replaced it.
async fn is_stored(services: &Services, id: UserId, stored: StoredHash) -> Result<bool> {
    services
        .store
        .read(Requester::HOUSEKEEPING, move |tx| {
            let account = users::find_account(tx, id)?;
            let current = account.and_then(|account| account.password_hash);
            Ok::<_, Error>(current.as_deref() == Some(stored.as_str()))
        })
        .await
}

/// How many passwords are stored that none can be compared with, so that their owners must reset them.
///
/// # Errors
/// When the database cannot be read.
pub async fn count_unusable(store: &Database, peppers: &Peppers) -> Result<u64> {
    let mut unusable = 0;
    let mut pages = Pages::of(Passwords::All);
    while let Some(page) = pages.next(store).await? {
        let found = page
            .iter()
            .filter(|(_, hash)| usable(hash, peppers).is_err());
        unusable += found.count() as u64;
    }
    Ok(unusable)
}

/// Stored passwords, a page at a time.
struct Pages {
    which: Passwords,
    after: UserId,
}

impl Pages {
    fn of(which: Passwords) -> Self {
        Self {
            which,
            after: UserId::NIL,
        }
    }

    async fn next(&mut self, store: &Database) -> Result<Option<Vec<(UserId, StoredHash)>>> {
        let (which, after) = (self.which, self.after);
        let rows = store
            .read(Requester::HOUSEKEEPING, move |tx| {
                users::list_passwords(tx, which, after, READ)
            })
            .await?;
        let Some((last, _)) = rows.last() else {
            return Ok(None);
        };
        self.after = *last;
        let page = rows.into_iter();
        Ok(Some(
            page.map(|(id, hash)| (id, StoredHash::from_stored(hash)))
                .collect(),
        ))
    }
}
