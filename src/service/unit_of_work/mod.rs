//! The unit of work: the one way to write to the database.
//!
//! A verb opens one with [`Services::write`] for clients that are not authenticated yet, for the operator with
//! [`Services::operate`], or for a [`Caller`] with [`Services::write_as`] or [`Services::administer`], which check the
//! caller again under a lock. It gives the verb the transaction, the time, ids and secrets, and takes what happened:
//! audit rows, changes for other instances, e-mails, events for webhooks. A verb can end only with a [`Finished`], which
//! shows that it recorded what it did.

mod actor;
mod audit_limit;
mod caller;
mod database;
mod event;
mod locked_organizations;

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::oneshot;

use crate::crypto::keyring::Keyring;
use crate::crypto::opaque::Opaque;
use crate::crypto::sealed::{self, Purpose};
use crate::crypto::seeded_random::SeededRandom;
use crate::domain::audit::{Action, AuditEntry, Method};
use crate::domain::ids::{AuditId, EmailId};
use crate::domain::person::MOST_SESSIONS;
use crate::domain::webhook_event::EndedSessions;
use crate::domain::{
    Change, DeviceOwner, Email, EmailMessage, EventType, Happened, Lifetimes, OrganizationId,
    ReservedSlugs, SessionId, UserId, WebhookEventId, lifetimes,
};
use crate::service::hashing::rehashes::Rehash;
use crate::service::{Error, ExternalIdClaim, RequestContext, Result, Services};
use crate::store::announcement::Announcement;
use crate::store::outbox::{self, NewEmail};
use crate::store::outdated::Outdated;
use crate::store::{
    Requester, StoreError, Tx, audit, changes, legacy_sessions, sessions, users, webhook_deliveries,
};

pub use actor::{Acting, Actor, MemberActor};
use audit_limit::RecentRows;
pub(in crate::service) use audit_limit::recent_rows;
pub use caller::{Caller, Credential, MemberCaller};
pub use database::Database;
pub use event::Event;
pub use locked_organizations::LockedOrganizations;

/// A running transaction, and what to announce once it is committed.
pub struct UnitOfWork<'a, 'tx> {
    pub tx: &'a mut Tx<'tx>,
    /// The same time for everything in it, to the microsecond.
    pub now: DateTime<Utc>,
    pub(in crate::service) sessions_per_user: u32,
    /// Those of the instance.
    pub(in crate::service) lifetimes: Lifetimes,
    pub(in crate::service) external_ids: ExternalIdClaim,
    pub(in crate::service) reserved_slugs: Arc<ReservedSlugs>,
    context: RequestContext,
    /// The defaults of an event.
    template: Event,
    random: SeededRandom,
    keyring: Arc<Keyring>,
    rows: usize,
    recent_rows: Option<RecentRows>,
    changes: Vec<Change>,
    happened: Vec<Happened>,
    queued_emails: bool,
    signed_in: Option<DeviceOwner>,
    rehash: Option<Rehash>,
}

/// The end of a unit of work that is to be committed: its result, or a refusal that was recorded.
#[must_use]
pub struct Finished<T>(Result<T, Error>);

/// What to do after the commit.
struct Committed<T> {
    outcome: Result<T, Error>,
    changes: Vec<Change>,
    now: DateTime<Utc>,
    queued_emails: bool,
    announced_events: bool,
    context: RequestContext,
    signed_in: Option<DeviceOwner>,
    rehash: Option<Rehash>,
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

    /// The name of the device.
    pub fn device(&self) -> Option<&str> {
        self.context.device.as_deref()
    }

    /// The marks of the browser; empty if there are none.
    pub fn marks(&self) -> &str {
        let browser = self.context.browser.as_ref();
        browser.map_or("", |browser| &browser.marks)
    }

    /// Sets the organization to whose log events belong by default.
    pub fn within(&mut self, organization_id: OrganizationId) {
        self.template.organization_id = Some(organization_id);
    }

    /// A new event. If there is a caller, it is about them by default.
    pub fn event(&self, action: Action) -> Event {
        Event {
            action,
            ..self.template.clone()
        }
    }

    /// Inserts the audit row of an event, or counts it if there are too many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn record(&mut self, event: Event) -> Result<(), StoreError> {
        let entry = self.entry(event);
        audit_limit::write(self.tx, &mut self.recent_rows, &entry)?;
        self.rows += 1;
        Ok(())
    }

    /// As [`record`](Self::record), of many events without an actor.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn record_all(
        &mut self,
        events: impl IntoIterator<Item = Event>,
    ) -> Result<(), StoreError> {
        let events = events.into_iter();
        let entries: Vec<AuditEntry> = events.map(|event| self.entry(event)).collect();
        self.rows += entries.len();
        audit::insert_all(self.tx, &entries)
    }

    fn entry(&mut self, event: Event) -> AuditEntry {
        AuditEntry {
            id: AuditId::new(self.now, self.random()),
            at: self.now,
            action: event.action,
            outcome: event.outcome,
            actor_id: event.actor_id,
            subject_id: event.subject_id,
            organization_id: event.organization_id,
            address: self.context.address.filter(|_| event.has_origin),
            request_id: self.context.request_id.clone(),
            method: event.method,
            reason: event.reason,
            device: self.context.device.clone().filter(|_| event.has_origin),
            detail: event.detail.map(|detail| detail.to_string()),
        }
    }

    /// Says who signs in; the browser remembers them once it is committed.
    pub fn signed_in(&mut self, owner: DeviceOwner) {
        self.signed_in = Some(owner);
    }

    /// Replaces an outdated hash of a right password once the transaction is committed, and there is time.
    pub(in crate::service) fn rehash_later(&mut self, rehash: Option<Rehash>) {
        self.rehash = rehash;
    }

    /// Announces a change to every instance; this one applies it before the request is answered. Webhooks are told of
    /// ended sessions.
    pub fn changed(&mut self, change: Change) {
        let ended = match change {
            Change::SessionEnded {
                user_id,
                session_id,
            } => Some((user_id, EndedSessions::One(session_id))),
            Change::TokensRevoked { user_id, .. } => Some((user_id, EndedSessions::All)),
            Change::TokensOutdated { .. }
            | Change::PersonChanged { .. }
            | Change::OrganizationChanged { .. } => None,
        };
        if let Some((user_id, sessions)) = ended {
            self.has_happened(Happened::SessionsEnded(user_id, sessions));
        }
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }

    /// Tells webhooks once the transaction is committed.
    pub fn announce(&mut self, announcement: Announcement) {
        for happened in announcement.happened() {
            self.has_happened(happened);
        }
    }

    /// As [`announce`](Self::announce), for what no function of the store announces.
    pub fn has_happened(&mut self, happened: Happened) {
        if !self.happened.contains(&happened) {
            self.happened.push(happened);
        }
    }

    /// Announces that these sessions of the user have ended.
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

    /// Announces that the tokens of these users are outdated, for example after a change of role, and must be refreshed.
    pub fn outdated(&mut self, outdated: Outdated) {
        let (changes, announcement) = outdated.into_parts();
        changes.for_each(|change| self.changed(change));
        announcement.into_iter().for_each(|it| self.announce(it));
    }

    /// Ends every session of the user, here and in systems that they came from, and revokes every token, with one row. The rows of sessions are marked as ended
    /// for readers that do not know of versions; should there be too many, housekeeping marks the rest.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn revoke_tokens(&mut self, user_id: UserId) -> Result<(), StoreError> {
        let newest = sessions::list_unrevoked(self.tx, user_id, MOST_SESSIONS)?;
        let newest: Vec<SessionId> = newest.iter().map(|session| session.id).collect();
        sessions::close(self.tx, &newest, self.now)?;
        let min_token_version = users::raise_token_version(self.tx, user_id, self.now)?;
        legacy_sessions::end_all_of(self.tx, user_id, self.now)?;
        self.changed(Change::TokensRevoked {
            user_id,
            min_token_version,
        });
        Ok(())
    }

    /// An e-mail ready for the outbox, encrypted because it may contain a one-time token.
    pub fn draft(
        &mut self,
        user_id: Option<UserId>,
        to: Email,
        message: &EmailMessage,
    ) -> NewEmail {
        NewEmail {
            id: EmailId::new(self.now, self.random()),
            kind: message.kind(),
            recipient: to,
            user_id,
            sealed: sealed::seal(
                message,
                self.now + lifetimes::EMAIL,
                Purpose::EmailMessage,
                self.random(),
                &self.keyring,
            ),
            priority: message.priority(),
            created_at: self.now,
        }
    }

    /// Queues an e-mail; a worker sends it once the transaction is committed. Only for the gate of `service::mail`,
    /// which knows whether it may be sent and towards which limit it counts.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn queue(&mut self, email: &NewEmail, counter: Option<&str>) -> Result<(), StoreError> {
        self.queued_emails = true;
        outbox::insert(self.tx, email, counter)
    }

    /// The same work as [`queue`](Self::queue) for an e-mail that is never sent.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn queue_decoy(
        &mut self,
        email: &NewEmail,
        counter: Option<&str>,
    ) -> Result<(), StoreError> {
        self.queued_emails = true;
        outbox::insert_decoy(self.tx, email, counter)
    }

    /// Records the event and ends.
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

    /// Ends without an audit row or a change.
    ///
    /// # Errors
    /// `Internal` if there was a change.
    pub fn unrecorded<T>(&self, value: T) -> Result<Finished<T>> {
        if !self.changes.is_empty() {
            return Err(Error::Internal("a change was not recorded".to_owned()));
        }
        Ok(Finished(Ok(value)))
    }

    /// Ends after a request that may have changed nothing.
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

    /// Ends with an error that was already recorded or counted; what was written so far is committed.
    ///
    /// # Errors
    /// Never; the type matches the other ends.
    pub fn refused<T>(&self, error: Error) -> Result<Finished<T>> {
        Ok(Finished(Err(error)))
    }

    fn commit<T>(mut self, finished: Finished<T>) -> Result<Committed<T>> {
        let announced_events = self.tell_webhooks()?;
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
            announced_events,
            context: self.context,
            signed_in: self.signed_in,
            rehash: self.rehash,
        })
    }

    /// Writes what has happened for the webhooks of everybody's organizations, of before and of now; returns whether
    /// there was anything.
    fn tell_webhooks(&mut self) -> Result<bool, StoreError> {
        let happened = std::mem::take(&mut self.happened);
        let left: Vec<(UserId, OrganizationId)> = happened
            .iter()
            .filter_map(|it| match it {
                Happened::Member(EventType::MemberRemoved, user_id, id) => Some((*user_id, *id)),
                _ => None,
            })
            .collect();
        for &it in &happened {
            let id = WebhookEventId::new(self.now, self.random());
            let theirs = left.iter().filter(|(user_id, _)| *user_id == it.user_id());
            let left: Vec<OrganizationId> = theirs.map(|(_, id)| *id).collect();
            webhook_deliveries::announce(self.tx, id, it, &left, self.now)?;
        }
        Ok(!happened.is_empty())
    }
}

impl Services {
    /// Writes for clients that authenticate within `work`, or need not: a sign-in, a link from an e-mail.
    ///
    /// # Errors
    /// The error of `work`, which rolls back; a refusal that it recorded, which does not; or the [`StoreError`] that
    /// prevented it from running.
    pub(in crate::service) async fn write<T>(
        &self,
        context: &RequestContext,
        work: impl FnOnce(&mut UnitOfWork<'_, '_>) -> Result<Finished<T>> + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
    {
        self.run(context.into(), context.clone(), work).await
    }

    /// Writes for the operator, whose events these are by default. Nothing is checked: those who can run commands on
    /// the database may do everything.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub(in crate::service) async fn operate<T>(
        &self,
        context: &RequestContext,
        work: impl FnOnce(&mut UnitOfWork<'_, '_>) -> Result<Finished<T>> + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
    {
        self.run(Requester::OPERATOR, context.clone(), |unit| {
            unit.template = Event::empty().by(Method::Operator);
            work(unit)
        })
        .await
    }

    /// As [`operate`](Self::operate), and rolls everything back: only the result of `work` remains.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub(in crate::service) async fn rehearse<T>(
        &self,
        context: &RequestContext,
        work: impl FnOnce(&mut UnitOfWork<'_, '_>) -> Result<T> + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
    {
        let (keep, mut kept) = oneshot::channel();
        let rolled_back = self
            .operate(context, move |unit| {
                let _ = keep.send(work(unit)?);
                // An error is what rolls back.
                Err::<Finished<()>, _>(Error::Conflict)
            })
            .await;
        match (kept.try_recv(), rolled_back) {
            (Ok(result), _) => Ok(result),
            (Err(_), Err(error)) => Err(error),
            (Err(_), Ok(())) => Err(Error::Internal("a rehearsal was committed".to_owned())),
        }
    }

    /// Reads for a caller after checking in the database that they may still act.
    ///
    /// # Errors
    /// The error of `work`; `TokenRevoked`, `TokenExpired` or `MfaEnrolmentRequired` for a caller who may not act.
    pub(in crate::service) async fn read_as<T, C: Acting>(
        &self,
        caller: &C,
        work: impl FnOnce(&mut Tx<'_>, &C::Actor) -> Result<T> + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
    {
        let (requester, caller, now) =
            (Requester::from(caller.caller()), caller.clone(), self.now());
        self.store
            .read(requester, move |tx| {
                let actor = caller.act(Actor::read(tx, caller.caller(), now)?)?;
                work(tx, &actor)
            })
            .await
    }

    /// As [`read_as`](Self::read_as), for queries whose cost grows with the organization, and which a standby may answer.
    ///
    /// # Errors
    /// As [`read_as`](Self::read_as).
    pub(in crate::service) async fn search_as<T, C: Acting>(
        &self,
        caller: &C,
        work: impl Fn(&mut Tx<'_>, &C::Actor) -> Result<T> + Send + Sync + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
    {
        let (requester, caller, now) =
            (Requester::from(caller.caller()), caller.clone(), self.now());
        let admit = move |tx: &mut Tx<'_>| caller.act(Actor::read(tx, caller.caller(), now)?);
        self.store.search_admitted(requester, admit, work).await
    }

    /// Writes for a caller after checking under a lock that they may still act, with the session, account, membership
    /// and role of now, not of when the request began.
    ///
    /// # Errors
    /// As [`write`](Self::write); `TokenRevoked`, `TokenExpired` or `MfaEnrolmentRequired` for a caller who may not
    /// act.
    pub(in crate::service) async fn write_as<T, C: Acting>(
        &self,
        caller: &C,
        work: impl FnOnce(&mut UnitOfWork<'_, '_>, &C::Actor) -> Result<Finished<T>> + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
    {
        let (requester, caller) = (Requester::from(caller.caller()), caller.clone());
        self.run(requester, caller.caller().context.clone(), move |unit| {
            let actor = caller.act(Actor::lock(unit, caller.caller())?)?;
            work(unit, &actor)
        })
        .await
    }

    /// As [`write_as`](Self::write_as), for verbs that change the members of the caller's organization or its rules.
    /// They run one after the other in each organization, which is locked first; then the accounts of the caller and of
    /// `subjects`, the members it is about; then the rest.
    ///
    /// # Errors
    /// As [`write_as`](Self::write_as).
    pub(in crate::service) async fn administer<T>(
        &self,
        caller: &MemberCaller,
        subjects: impl IntoIterator<Item = UserId> + Send + 'static,
        work: impl FnOnce(&mut UnitOfWork<'_, '_>, &MemberActor) -> Result<Finished<T>> + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
    {
        let (requester, caller) = (Requester::from(caller), caller.clone());
        self.run(requester, caller.context.clone(), move |unit| {
            let actor = Actor::lock_with_organization(unit, &caller, subjects)?;
            let actor = caller.act(actor)?;
            work(unit, &actor)
        })
        .await
    }

    /// As [`write_as`](Self::write_as), for verbs that concern the caller in all of their organizations, which are
    /// locked first.
    ///
    /// # Errors
    /// As [`write_as`](Self::write_as); `Conflict` if the caller has joined another organization meanwhile.
    pub(in crate::service) async fn write_as_everywhere<T>(
        &self,
        caller: &Caller,
        work: impl FnOnce(&mut UnitOfWork<'_, '_>, &Actor) -> Result<Finished<T>> + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
    {
        let (requester, caller) = (Requester::from(caller), caller.clone());
        self.run(requester, caller.context.clone(), move |unit| {
            let locked = LockedOrganizations::of(unit, caller.profile.id, &[])?;
            users::lock_account_exclusively(unit.tx, caller.profile.id)?;
            let actor = Actor::lock(unit, &caller)?;
            locked.must_be_all_of(unit, actor.id())?;
            work(unit, &actor)
        })
        .await
    }

    async fn run<T>(
        &self,
        requester: Requester,
        context: RequestContext,
        work: impl FnOnce(&mut UnitOfWork<'_, '_>) -> Result<Finished<T>> + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
    {
        let now = self.now();
        let random = SeededRandom::new(self.random());
        let keyring = self.tokens.keyring();
        let (sessions_per_user, lifetimes) = (self.sessions_per_user, self.lifetimes);
        let external_ids = self.tokens.external_ids();
        let reserved_slugs = Arc::clone(&self.reserved_slugs);
        let (revocations, store) = (Arc::clone(&self.revocations), self.store.handle());
        let committed = self
            .store
            .handle()
            .write_then(
                requester,
                move |tx| {
                    let mut unit = UnitOfWork {
                        tx,
                        now,
                        sessions_per_user,
                        lifetimes,
                        external_ids,
                        reserved_slugs,
                        context,
                        template: Event::empty(),
                        random,
                        keyring,
                        rows: 0,
                        recent_rows: None,
                        changes: Vec::new(),
                        happened: Vec::new(),
                        queued_emails: false,
                        signed_in: None,
                        rehash: None,
                    };
                    let finished = work(&mut unit)?;
                    unit.commit(finished)
                },
                move |committed: &Committed<T>| {
                    revocations.apply(&committed.changes, committed.now + lifetimes::ACCESS_TOKEN);
                    if !committed.changes.is_empty() {
                        store.announce_changes();
                    }
                    if committed.queued_emails {
                        store.announce_emails();
                    }
                    if committed.announced_events {
                        store.announce_events();
                    }
                },
            )
            .await?;
        if let (Some(browser), Some(owner)) = (&committed.context.browser, committed.signed_in) {
            browser.signed_in.get_or_init(|| owner);
        }
        if let Some(rehash) = committed.rehash {
            self.passwords.rehash_later(rehash);
        }
        committed.outcome
    }
}
