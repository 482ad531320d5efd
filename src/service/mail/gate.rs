//! The one way for an e-mail into the outbox: it decides whether one more may be sent to its recipient.
//!
//! Limits count the e-mails that went out, or wait to, to one recipient and of one cause. Causes share no counter, so
//! that no one can use up the limit of someone else's e-mails, and no limit lasts longer than the links it counted. See
//! decision 33.

use chrono::TimeDelta;

use crate::domain::{Email, EmailMessage, OrganizationId, UserId, lifetimes};
use crate::service::unit_of_work::UnitOfWork;
use crate::store::users::Account;
use crate::store::{StoreError, outbox};

/// E-mails of one cause to one address within the time of its limit.
const PER_CAUSE: u8 = 3;

/// Requested e-mails to one account within the time of their limit, even if its owner, or someone who knows the
/// password, makes the links void each time.
const REQUESTED_AT_MOST: u8 = 10;

/// Notices of one kind to a verified address within [`lifetimes::EMAIL_LIMIT_WINDOW`]. So many of them have said it.
const NOTICES_OF_A_KIND: u8 = 20;

/// Why an e-mail is sent, and so which limit it counts towards.
pub(in crate::service) enum Cause<'a> {
    /// A registration, in an organization that exists or with a new one.
    Registration(Option<OrganizationId>),
    /// A member or the operator invites.
    Invitation(OrganizationId),
    /// The organization's join policy invites, at the request of any client.
    JoinPolicy(OrganizationId),
    /// The account's new address, at its own request.
    NewAddress(&'a Account),
    /// Something happened to the recipient's account.
    Notice { is_verified: bool },
}

impl Cause<'_> {
    /// The counter, and how many may be sent in an hour.
    fn limit(&self, message: &EmailMessage) -> (String, u8) {
        let counter = match self {
            Self::Registration(organization) => registrations(*organization),
            Self::Invitation(organization) => format!("invitation:{organization}"),
            Self::JoinPolicy(organization) => format!("join_policy:{organization}"),
            // Accounts that have verified no address are free, so they share one counter.
            Self::NewAddress(Account {
                email_verified_at: None,
                ..
            }) => "new_address".to_owned(),
            Self::NewAddress(account) => format!("new_address:{}", account.user.id),
            Self::Notice { is_verified: false } => "notice".to_owned(),
            Self::Notice { is_verified: true } => {
                return (format!("notice:{}", message.kind()), NOTICES_OF_A_KIND);
            }
        };
        (counter, PER_CAUSE)
    }
}

/// Asks [ahead](crate::store::Tx::ahead) what [`send`] asks for a registration.
pub(in crate::service) fn ask_for_registration(
    unit: &mut UnitOfWork<'_, '_>,
    to: &Email,
    organization_id: Option<OrganizationId>,
) -> Result<(), StoreError> {
    let counter = registrations(organization_id);
    let since = unit.now - lifetimes::EMAIL_LIMIT_WINDOW;
    outbox::lock_recipient(unit.tx, to)?;
    unit.tx
        .ahead(|tx| outbox::are_as_many_since(tx, to, &counter, since, PER_CAUSE));
    Ok(())
}

/// The counter of registrations in an organization that exists, or with a new one.
fn registrations(organization_id: Option<OrganizationId>) -> String {
    match organization_id {
        Some(id) => format!("registration:{id}"),
        None => "registration".to_owned(),
    }
}

/// Queues the e-mail unless its recipient has reached the limit of its cause; returns whether it was queued. If not,
/// the last link that was sent must stay valid. With the account `user_id`, the e-mail is deleted too.
pub(in crate::service) fn send(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: Option<UserId>,
    to: Email,
    message: &EmailMessage,
    cause: &Cause<'_>,
) -> Result<bool, StoreError> {
    let (counter, limit) = cause.limit(message);
    let may_send = has_room(unit, &to, &counter, lifetimes::EMAIL_LIMIT_WINDOW, limit)?;
    if may_send {
        let email = unit.draft(user_id, to, message);
        unit.queue(&email, Some(&counter))?;
    }
    Ok(may_send)
}

/// The same queries and writes as [`send`] for an e-mail that is not sent and counts towards no limit.
pub(in crate::service) fn send_decoy(
    unit: &mut UnitOfWork<'_, '_>,
    to: Email,
    message: &EmailMessage,
    cause: &Cause<'_>,
) -> Result<(), StoreError> {
    let (counter, limit) = cause.limit(message);
    has_room(unit, &to, &counter, lifetimes::EMAIL_LIMIT_WINDOW, limit)?;
    let email = unit.draft(None, to, message);
    unit.queue_decoy(&email, None)
}

/// Notifies an account's owner of an event.
///
/// A verified address gets it. An unverified one may be a victim's, entered to have us send them e-mails: it gets three
/// notices an hour.
pub(in crate::service) fn send_notice(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    to: Email,
    message: &EmailMessage,
    is_verified: bool,
) -> Result<(), StoreError> {
    send(
        unit,
        Some(user_id),
        to,
        message,
        &Cause::Notice { is_verified },
    )
    .map(|_| ())
}

/// An e-mail with a link that any client requests for an address.
pub(in crate::service) struct Request<'a> {
    pub to: Email,
    pub message: &'a EmailMessage,
    /// The account that has the address and that the e-mail is for.
    pub account: Option<UserId>,
    /// How long three e-mails count.
    pub window: TimeDelta,
    /// None of the links that were sent before can still be used.
    pub has_no_link: bool,
}

/// What became of a [`Request`].
pub(in crate::service) struct Requested {
    /// The account that the e-mail was queued for.
    pub sent_to: Option<UserId>,
    pub is_limited: bool,
}

impl Request<'_> {
    fn counter(&self) -> String {
        let account = self.account.unwrap_or(UserId::NIL);
        format!("{}:{account}", self.message.kind())
    }

    /// Asks [ahead](crate::store::Tx::ahead) what [`send_requested`] asks.
    pub(crate) fn ask(&self, unit: &mut UnitOfWork<'_, '_>) -> Result<(), StoreError> {
        let (counter, since) = (self.counter(), unit.now - self.window);
        outbox::lock_recipient(unit.tx, &self.to)?;
        unit.tx.ahead(|tx| {
            [REQUESTED_AT_MOST, PER_CAUSE]
                .map(|limit| outbox::are_as_many_since(tx, &self.to, &counter, since, limit))
        });
        Ok(())
    }
}

/// Queues what is requested, or else a decoy. The queries and writes are the same for all addresses.
///
/// Each account of an address has its own limit, so that an earlier account cannot use up that of the next. Decoys for
/// addresses without an account count towards decoys only.
pub(in crate::service) fn send_requested(
    unit: &mut UnitOfWork<'_, '_>,
    request: Request<'_>,
) -> Result<Requested, StoreError> {
    let counter = request.counter();
    let (to, window) = (&request.to, request.window);
    let has_room_at_all = has_room(unit, to, &counter, window, REQUESTED_AT_MOST)?;
    let has_room = has_room(unit, to, &counter, window, PER_CAUSE)?;
    let is_limited = !has_room_at_all || !(has_room || request.has_no_link);
    let sent_to = request.account.filter(|_| !is_limited);
    let email = unit.draft(sent_to, request.to, request.message);
    let counter = (!is_limited).then_some(counter.as_str());
    match sent_to {
        Some(_) => unit.queue(&email, counter)?,
        None => unit.queue_decoy(&email, counter)?,
    }
    Ok(Requested {
        sent_to,
        is_limited,
    })
}

/// The address is locked until the transaction ends, so that concurrent requests cannot exceed the limit.
fn has_room(
    unit: &mut UnitOfWork<'_, '_>,
    to: &Email,
    counter: &str,
    window: TimeDelta,
    limit: u8,
) -> Result<bool, StoreError> {
    let since = unit.now - window;
    outbox::lock_recipient(unit.tx, to)?;
    Ok(!outbox::are_as_many_since(
        unit.tx, to, counter, since, limit,
    )?)
}
