//! The unit of work: the one way to write to the database.
//!
//! A verb opens one with [`Services::write`], for somebody who has yet to prove who they are, or on behalf of a
//! [`Caller`] with [`Services::write_as`] or [`Services::administer`], which judge the caller again under a lock. It hands the verb
//! the transaction, the time, ids and secrets, and takes what happened: audit rows, changes that other instances must
//! hear of, e-mails. A verb can end only with a [`Finished`], which says that it recorded what it did.

mod actor;
mod caller;
mod database;
mod event;

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::crypto::keyring::Keyring;
use crate::crypto::opaque::Opaque;
use crate::crypto::sealed::{self, Purpose};
use crate::crypto::seeded_random::SeededRandom;
use crate::domain::audit::{Action, AuditEntry};
use crate::domain::ids::{AuditId, EmailId};
use crate::domain::{Change, Email, EmailMessage, SessionId, UserId, lifetimes};
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::outbox::{self, NewEmail};
use crate::store::{StoreError, Tx, audit, changes, users};

pub use actor::Actor;
pub use caller::{Caller, Credential};
pub use database::Database;
pub use event::Event;

/// A transaction that is under way, and what it has to say once it is committed.
pub struct UnitOfWork<'a, 'tx> {
    pub tx: &'a mut Tx<'tx>,
    /// One instant for everything in it, to the microsecond.
    pub now: DateTime<Utc>,
    context: RequestContext,
    /// What an event is about unless it says otherwise.
    template: Event,
    random: SeededRandom,
    keyring: Arc<Keyring>,
    rows: usize,
    changes: Vec<Change>,
    queued_emails: bool,
}

/// The end of a unit of work that is to be committed: what the caller gets, or a refusal that was recorded.
#[must_use]
pub struct Finished<T>(Result<T, Error>);

/// What is left to do after the commit.
struct Committed<T> {
    outcome: Result<T, Error>,
    changes: Vec<Change>,
    now: DateTime<Utc>,
    queued_emails: bool,
}

impl UnitOfWork<'_, '_> {
    /// Cryptographically random bytes.
    pub fn random<const N: usize>(&mut self) -> [u8; N] {
        self.random.bytes()
    }

    /// A secret for a link or a challenge.
    pub fn secret(&mut self) -> Opaque {
        Opaque::new(self.random())
    }

    pub fn keyring(&self) -> &Arc<Keyring> {
        &self.keyring
    }

    /// The client's address, proxies accounted for.
    pub fn address(&self) -> Option<IpAddr> {
        self.context.address
    }

    /// The `User-Agent`, at most 255 characters.
    pub fn device(&self) -> Option<&str> {
        self.context.device.as_deref()
    }

    /// Something that has happened: by the caller to themselves, where there is one.
    pub fn event(&self, action: Action) -> Event {
        Event {
            action,
            ..self.template.clone()
        }
    }

    /// Inserts the audit row of something that has happened.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn record(&mut self, event: Event) -> Result<(), StoreError> {
        let entry = AuditEntry {
            id: AuditId::new(self.now, self.random()),
            at: self.now,
            action: event.action,
            outcome: event.outcome,
            actor_id: event.actor_id,
            subject_id: event.subject_id,
            organization_id: event.organization_id,
            address: self.context.address,
            request_id: self.context.request_id.clone(),
            method: event.method,
            reason: event.reason,
            device: self.context.device.clone(),
            detail: event.detail.map(|detail| detail.to_string()),
        };
        audit::insert(self.tx, &entry)?;
        self.rows += 1;
        Ok(())
    }

    /// Tells every instance of a change, this one before the request is answered.
    pub fn changed(&mut self, change: Change) {
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }

    /// Tells every instance that these sessions of the user have ended.
    pub fn sessions_ended(
        &mut self,
        user_id: UserId,
        session_ids: impl IntoIterator<Item = SessionId>,
    ) {
        for session_id in session_ids {
            self.changed(Change::SessionEnded {
                user_id,
                session_id,
            });
        }
    }

    /// What tokens say about the user is no longer so: a role, a membership. They must be refreshed.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn outdated(&mut self, user_id: UserId) -> Result<(), StoreError> {
        let min_pv = users::raise_permissions_version(self.tx, user_id)?;
        self.changed(Change::TokensOutdated { user_id, min_pv });
        Ok(())
    }

    /// Revokes every token of the user.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn revoke_tokens(&mut self, user_id: UserId) -> Result<(), StoreError> {
        let min_token_version = users::raise_token_version(self.tx, user_id, self.now)?;
        self.changed(Change::TokensRevoked {
            user_id,
            min_token_version,
        });
        Ok(())
    }

    /// An e-mail ready for the outbox.
    ///
    /// It is encrypted there: it may hold a one-time token, which must be of no use to somebody who reads the database.
    pub fn draft(&mut self, to: Email, message: &EmailMessage) -> NewEmail {
        NewEmail {
            id: EmailId::new(self.now, self.random()),
            kind: message.kind(),
            recipient: to,
            sealed: sealed::seal(
                message,
                self.now + lifetimes::EMAIL,
                Purpose::EmailMessage,
                self.random(),
                &self.keyring,
            ),
            created_at: self.now,
        }
    }

    /// Queues an e-mail; a worker sends it once the transaction is committed.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn queue(&mut self, email: &NewEmail) -> Result<(), StoreError> {
        self.queued_emails = true;
        outbox::insert(self.tx, email)
    }

    /// As much work as [`queue`](Self::queue), for an e-mail that nobody will be sent. It may count as one to its
    /// recipient.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn queue_decoy(&mut self, email: &NewEmail, counts: bool) -> Result<(), StoreError> {
        self.queued_emails = true;
        outbox::insert_decoy(self.tx, email, counts)
    }

    /// Records what happened and ends.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn finish<T>(&mut self, event: Event, value: T) -> Result<Finished<T>> {
        self.record(event)?;
        Ok(Finished(Ok(value)))
    }

    /// Ends after at least one event was recorded.
    ///
    /// # Errors
    /// `Internal` when none was.
    pub fn recorded<T>(&self, value: T) -> Result<Finished<T>> {
        if self.rows == 0 {
            return Err(Error::Internal("nothing was recorded".to_owned()));
        }
        Ok(Finished(Ok(value)))
    }

    /// Ends where nothing happened that the audit log or another instance has to know of.
    ///
    /// # Errors
    /// `Internal` when something did.
    pub fn unrecorded<T>(&self, value: T) -> Result<Finished<T>> {
        if !self.changes.is_empty() {
            return Err(Error::Internal("a change was not recorded".to_owned()));
        }
        Ok(Finished(Ok(value)))
    }

    /// Ends where it depended on the request whether anything was different.
    ///
    /// # Errors
    /// `Internal` when a change was not recorded.
    pub fn recorded_if_changed<T>(&self, value: T) -> Result<Finished<T>> {
        if self.rows == 0 {
            self.unrecorded(value)
        } else {
            self.recorded(value)
        }
    }

    /// Records a refusal and ends with `error`; what was written so far is committed.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn refuse<T>(&mut self, event: Event, error: Error) -> Result<Finished<T>> {
        self.record(event)?;
        Ok(Finished(Err(error)))
    }

    /// Ends with an error whose refusal was recorded, or counted, on the way; what was written so far is committed.
    ///
    /// # Errors
    /// None; the type is that of the other ends.
    pub fn refused<T>(&self, error: Error) -> Result<Finished<T>> {
        Ok(Finished(Err(error)))
    }

    fn commit<T>(mut self, finished: Finished<T>) -> Result<Committed<T>> {
        // Last, so that writers of changes wait for each other as briefly as possible.
        let changes = std::mem::take(&mut self.changes);
        changes::append(
            self.tx,
            &changes,
            self.now,
            self.now + lifetimes::ACCESS_TOKEN,
        )?;
        Ok(Committed {
            outcome: finished.0,
            changes,
            now: self.now,
            queued_emails: self.queued_emails,
        })
    }
}

impl Services {
    /// Writes for somebody who proves who they are within `work`, or who need not: a sign-in, a link from an e-mail,
    /// the operator.
    ///
    /// # Errors
    /// What `work` answers, which undoes it; a refusal that it recorded, which does not; or the [`StoreError`] that kept it from
    /// running.
    pub(in crate::service) async fn write<T>(
        &self,
        context: &RequestContext,
        work: impl FnOnce(&mut UnitOfWork<'_, '_>) -> Result<Finished<T>> + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
    {
        self.run(context.clone(), work).await
    }

    /// Reads on a caller's behalf after their request's body has arrived, once the database has found that they may still
    /// act.
    ///
    /// # Errors
    /// What `work` answers; `TokenRevoked`, `TokenExpired` or `MfaEnrolmentRequired` for a caller who may not.
    pub(in crate::service) async fn read_as<T>(
        &self,
        caller: &Caller,
        work: impl FnOnce(&mut Tx<'_>, &Actor) -> Result<T> + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
    {
        let (caller, now) = (caller.clone(), self.now());
        self.store
            .read(move |tx| {
                let actor = Actor::judge(tx, &caller, now)?;
                work(tx, &actor)
            })
            .await
    }

    /// Writes on a caller's behalf, once the transaction has found, under a lock, that they may still act: session,
    /// account, membership and role as they are now, and not as they were when the request began.
    ///
    /// # Errors
    /// As [`write`](Self::write); `TokenRevoked`, `TokenExpired` or `MfaEnrolmentRequired` for a caller who may not.
    pub(in crate::service) async fn write_as<T>(
        &self,
        caller: &Caller,
        work: impl FnOnce(&mut UnitOfWork<'_, '_>, &Actor) -> Result<Finished<T>> + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
    {
        let caller = caller.clone();
        self.run(caller.context.clone(), move |unit| {
            let actor = Actor::lock(unit, &caller)?;
            work(unit, &actor)
        })
        .await
    }

    /// As [`write_as`](Self::write_as), for verbs that change who belongs to the caller's organization, as what, or by
    /// which rules. They run one after the other in each organization: it is locked before anything else, because a
    /// caller's own membership is locked as well.
    ///
    /// # Errors
    /// As [`write_as`](Self::write_as).
    pub(in crate::service) async fn administer<T>(
        &self,
        caller: &Caller,
        work: impl FnOnce(&mut UnitOfWork<'_, '_>, &Actor) -> Result<Finished<T>> + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
    {
        let caller = caller.clone();
        self.run(caller.context.clone(), move |unit| {
            let actor = Actor::lock_with_organization(unit, &caller)?;
            work(unit, &actor)
        })
        .await
    }

    async fn run<T>(
        &self,
        context: RequestContext,
        work: impl FnOnce(&mut UnitOfWork<'_, '_>) -> Result<Finished<T>> + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
    {
        let now = self.now();
        let random = SeededRandom::new(self.random());
        let keyring = self.tokens.keyring();
        let (revocations, store) = (Arc::clone(&self.revocations), self.store.handle());
        let committed = self
            .store
            .handle()
            .write_then(
                move |tx| {
                    let mut unit = UnitOfWork {
                        tx,
                        now,
                        context,
                        template: Event::about_nobody(),
                        random,
                        keyring,
                        rows: 0,
                        changes: Vec::new(),
                        queued_emails: false,
                    };
                    let finished = work(&mut unit)?;
                    unit.commit(finished)
                },
                move |committed: &Committed<T>| {
                    revocations.apply(&committed.changes, committed.now + lifetimes::ACCESS_TOKEN);
                    if committed.queued_emails {
                        store.announce_emails();
                    }
                },
            )
            .await?;
        committed.outcome
    }
}
