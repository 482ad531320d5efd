//! The `users` table.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::announcement::Announcement;
use super::bulk::pieces;
use super::schema::users;
use super::types::Timestamp;
use super::{StoreError, Tx, find_locked, later, on};
use crate::domain::names::GivenOrFamilyName;
use crate::domain::webhook_event::EventType::{
    UserCreated, UserDeleted, UserDisabled, UserEnabled, UserUpdated,
};
use crate::domain::{Email, PersonName, User, UserId};

/// A user with the data that only sign-in may see.
pub struct Account {
    pub user: User,
    /// Missing for people who have only signed in by other means.
    pub password_hash: Option<String>,
    /// How often the password was set here. It stays when a hash is replaced by another of the same password.
    pub password_changes: i32,
    /// When the owner of the address confirmed it.
    pub email_verified_at: Option<DateTime<Utc>>,
}

impl Account {
    /// Whether there is a password, and an address to sign in with, which may have to be verified.
    pub fn signs_in_by_password(&self, must_be_verified: bool) -> bool {
        let has_address =
            self.user.email.is_some() && (self.email_verified_at.is_some() || !must_be_verified);
        self.password_hash.is_some() && has_address
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub(super) struct UserRow {
    id: UserId,
    email: Option<String>,
    name: String,
    ver: i32,
    pv: i32,
    disabled_at: Option<Timestamp>,
    sessions_checked_until: Option<Timestamp>,
    created_at: Timestamp,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id,
            email: row.email.map(Email::from_stored),
            name: PersonName::from_stored(row.name),
            token_version: row.ver,
            permissions_version: row.pv,
            disabled_at: row.disabled_at.map(|at| at.0),
            sessions_checked_until: row.sessions_checked_until.map(|at| at.0),
            created_at: row.created_at.0,
        }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct AccountRow {
    #[diesel(embed)]
    user: UserRow,
    password_hash: Option<String>,
    password_changes: i32,
    email_verified_at: Option<Timestamp>,
}

impl From<AccountRow> for Account {
    fn from(row: AccountRow) -> Self {
        Self {
            user: row.user.into(),
            password_hash: row.password_hash,
            password_changes: row.password_changes,
            email_verified_at: row.email_verified_at.map(|at| at.0),
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = users)]
struct NewUserRow<'a> {
    id: UserId,
    email: Option<&'a str>,
    name: &'a str,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    password_hash: Option<&'a str>,
    ver: i32,
    disabled_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// First and last name, if they were given separately.
pub type FirstAndLastName<'a> = (Option<&'a GivenOrFamilyName>, Option<&'a GivenOrFamilyName>);

/// # Errors
/// `Taken(UserEmail)`.
pub fn insert(
    tx: &mut Tx<'_>,
    user: &User,
    names: Option<FirstAndLastName<'_>>,
    password_hash: Option<&str>,
) -> Result<Announcement, StoreError> {
    let row = NewUserRow {
        id: user.id,
        email: user.email.as_ref().map(Email::as_str),
        name: user.name.as_str(),
        first_name: names.and_then(|(first, _)| Some(first?.as_str())),
        last_name: names.and_then(|(_, last)| Some(last?.as_str())),
        password_hash,
        ver: user.token_version,
        disabled_at: user.disabled_at.map(Timestamp),
        created_at: Timestamp(user.created_at),
        updated_at: Timestamp(user.created_at),
    };
    on!(tx, |conn| diesel::insert_into(users::table)
        .values(&row)
        .execute(conn))?;
    Ok(Announcement::user(UserCreated, user.id))
}

/// A user from another system.
pub struct ImportedAccount {
    pub user: User,
    /// If they were given separately.
    pub first_name: Option<GivenOrFamilyName>,
    pub last_name: Option<GivenOrFamilyName>,
    pub password_hash: Option<String>,
    pub email_verified_at: Option<DateTime<Utc>>,
}

#[derive(Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
struct ImportedRow<'a> {
    id: UserId,
    email: Option<&'a str>,
    email_verified_at: Option<Timestamp>,
    name: &'a str,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    password_hash: Option<&'a str>,
    ver: i32,
    disabled_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl ImportedAccount {
    fn row(&self, now: DateTime<Utc>) -> ImportedRow<'_> {
        let user = &self.user;
        ImportedRow {
            id: user.id,
            email: user.email.as_ref().map(Email::as_str),
            email_verified_at: self.email_verified_at.map(Timestamp),
            name: user.name.as_str(),
            first_name: self.first_name.as_ref().map(GivenOrFamilyName::as_str),
            last_name: self.last_name.as_ref().map(GivenOrFamilyName::as_str),
            password_hash: self.password_hash.as_deref(),
            ver: user.token_version,
            disabled_at: user.disabled_at.map(Timestamp),
            created_at: Timestamp(user.created_at),
            updated_at: Timestamp(now),
        }
    }
}

/// # Errors
/// `Taken(UserEmail)`.
pub fn insert_imported(
    tx: &mut Tx<'_>,
    accounts: &[ImportedAccount],
    now: DateTime<Utc>,
) -> Result<Announcement, StoreError> {
    for piece in pieces(accounts) {
        let rows: Vec<ImportedRow<'_>> = piece.iter().map(|it| it.row(now)).collect();
        on!(tx, |conn| diesel::insert_into(users::table)
            .values(&rows)
            .execute(conn))?;
    }
    let ids: Vec<UserId> = accounts.iter().map(|account| account.user.id).collect();
    Ok(Announcement::users(UserCreated, &ids))
}

/// Which of these ids users have.
pub fn list_taken_ids(tx: &mut Tx<'_>, ids: &[UserId]) -> Result<Vec<UserId>, StoreError> {
    Ok(on!(tx, |conn| users::table
        .filter(users::id.eq_any(ids))
        .select(users::id)
        .load(conn))?)
}

/// The accounts of these users.
pub fn list_accounts(tx: &mut Tx<'_>, ids: &[UserId]) -> Result<Vec<Account>, StoreError> {
    let rows: Vec<AccountRow> = on!(tx, |conn| users::table
        .filter(users::id.eq_any(ids))
        .filter(users::deleted_at.is_null())
        .select(AccountRow::as_select())
        .load(conn))?;
    Ok(rows.into_iter().map(Account::from).collect())
}

/// Which users have these addresses, and whether they have verified them.
pub fn list_by_email(
    tx: &mut Tx<'_>,
    emails: &[&str],
) -> Result<Vec<(Email, UserId, bool)>, StoreError> {
    let rows: Vec<(Option<String>, UserId, Option<Timestamp>)> = on!(tx, |conn| users::table
        .filter(users::email.eq_any(emails.iter().map(|email| Some(*email))))
        .select((users::email, users::id, users::email_verified_at))
        .load(conn))?;
    let row = |(email, id, verified_at): (Option<String>, _, Option<Timestamp>)| {
        Some((Email::from_stored(email?), id, verified_at.is_some()))
    };
    Ok(rows.into_iter().filter_map(row).collect())
}

pub fn find(tx: &mut Tx<'_>, id: UserId) -> Result<Option<User>, StoreError> {
    let row: Option<UserRow> = on!(tx, |conn| users::table
        .find(id)
        .filter(users::deleted_at.is_null())
        .select(UserRow::as_select())
        .get_result(conn)
        .optional())?;
    Ok(row.map(User::from))
}

/// The query of an account by id.
macro_rules! account {
    ($id:expr) => {
        users::table
            .find($id)
            .filter(users::deleted_at.is_null())
            .select(AccountRow::as_select())
    };
}

/// The query of an account by address.
macro_rules! account_by_email {
    ($email:expr) => {
        users::table
            .filter(users::email.eq($email.as_str()))
            .select(AccountRow::as_select())
    };
}

pub fn find_account(tx: &mut Tx<'_>, id: UserId) -> Result<Option<Account>, StoreError> {
    let row = on!(tx, |conn| account!(id).get_result(conn).optional())?;
    Ok(row.map(Account::from))
}

pub fn find_account_by_email(
    tx: &mut Tx<'_>,
    email: &Email,
) -> Result<Option<Account>, StoreError> {
    let row = on!(tx, |conn| account_by_email!(email)
        .get_result(conn)
        .optional())?;
    Ok(row.map(Account::from))
}

/// Reads an account and locks it against changes until the transaction ends.
///
/// SQLite needs no lock: it has one writer.
pub fn lock_account(tx: &mut Tx<'_>, id: UserId) -> Result<Option<Account>, StoreError> {
    let row = find_locked!(tx, for_no_key_update, account!(id))?;
    Ok(row.map(Account::from))
}

/// As [`lock_account`], in the order of their ids, because two transactions may lock the same accounts.
pub fn lock_accounts(tx: &mut Tx<'_>, ids: &[UserId]) -> Result<(), StoreError> {
    if let Tx::Postgres(connection) = tx {
        let _: Vec<UserId> = users::table
            .filter(users::id.eq_any(ids))
            .order(users::id)
            .select(users::id)
            .for_no_key_update()
            .load(*connection)?;
    }
    Ok(())
}

/// As [`lock_account`]; `None` if the account is disabled.
pub fn lock_enabled_account(tx: &mut Tx<'_>, id: UserId) -> Result<Option<Account>, StoreError> {
    Ok(lock_account(tx, id)?.filter(|account| account.user.disabled_at.is_none()))
}

/// As [`lock_account`], by address. Runs the same queries whether or not the account exists.
pub fn lock_account_by_email(
    tx: &mut Tx<'_>,
    email: &Email,
) -> Result<Option<Account>, StoreError> {
    let row = find_locked!(tx, for_no_key_update, account_by_email!(email))?;
    Ok(row.map(Account::from))
}

/// Reads an account and locks it exclusively until the transaction ends: no other transaction can change it or insert a
/// row that refers to it, such as a membership.
pub fn lock_account_exclusively(
    tx: &mut Tx<'_>,
    id: UserId,
) -> Result<Option<Account>, StoreError> {
    let row = find_locked!(tx, for_update, account!(id))?;
    Ok(row.map(Account::from))
}

/// All users, oldest first.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<User>, StoreError> {
    let rows: Vec<UserRow> = on!(tx, |conn| users::table
        .filter(users::deleted_at.is_null())
        .order((users::created_at, users::id))
        .select(UserRow::as_select())
        .load(conn))?;
    Ok(rows.into_iter().map(User::from).collect())
}

pub fn set_name(
    tx: &mut Tx<'_>,
    id: UserId,
    name: &PersonName,
    now: DateTime<Utc>,
) -> Result<Announcement, StoreError> {
    later!(
        tx,
        diesel::update(users::table.find(id)).set((
            users::name.eq(name.as_str()),
            users::updated_at.eq(Timestamp(now))
        ))
    )?;
    Ok(Announcement::user(UserUpdated, id))
}

/// The account's address, if it is verified.
pub fn find_verified_email(tx: &mut Tx<'_>, id: UserId) -> Result<Option<Email>, StoreError> {
    let email: Option<Option<String>> = on!(tx, |conn| users::table
        .find(id)
        .filter(users::email_verified_at.is_not_null())
        .select(users::email)
        .get_result(conn)
        .optional())?;
    Ok(email.flatten().map(Email::from_stored))
}

/// Sets a new password.
pub fn set_password_hash(
    tx: &mut Tx<'_>,
    id: UserId,
    password_hash: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::update(users::table.find(id)).set((
            users::password_hash.eq(Some(password_hash)),
            users::password_changes.eq(users::password_changes + 1),
            users::updated_at.eq(Timestamp(now))
        ))
    )?;
    Ok(())
}

/// Sets a password that was set elsewhere, which does not count as one that was set here.
pub fn set_imported_password(
    tx: &mut Tx<'_>,
    id: UserId,
    password_hash: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::update(users::table.find(id)).set((
            users::password_hash.eq(Some(password_hash)),
            users::updated_at.eq(Timestamp(now))
        ))
    )?;
    Ok(())
}

/// Replaces a hash by another of the same password, unless it is no longer stored. Returns whether it was.
pub fn replace_password_hash(
    tx: &mut Tx<'_>,
    id: UserId,
    stored: &str,
    replacement: &str,
) -> Result<bool, StoreError> {
    let replaced = on!(tx, |conn| diesel::update(
        users::table
            .find(id)
            .filter(users::password_hash.eq(Some(stored)))
    )
    .set(users::password_hash.eq(Some(replacement)))
    .execute(conn))?;
    Ok(replaced == 1)
}

/// Which of the stored passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passwords {
    All,
    /// Those that importers have written.
    Imported,
}

/// Hashes by id, from the one after `after`.
pub fn list_passwords(
    tx: &mut Tx<'_>,
    which: Passwords,
    after: UserId,
    limit: i64,
) -> Result<Vec<(UserId, String)>, StoreError> {
    let is_wanted = match which {
        Passwords::All => "password_hash is not null",
        // As in the index of these accounts.
        Passwords::Imported => "substr(password_hash, 1, 4) = '$in$'",
    };
    let rows: Vec<(UserId, Option<String>)> = on!(tx, |conn| users::table
        .filter(sql::<Bool>(is_wanted))
        .filter(users::id.gt(after))
        .order(users::id)
        .limit(limit)
        .select((users::id, users::password_hash))
        .load(conn))?;
    let hashes = rows.into_iter();
    Ok(hashes.filter_map(|(id, hash)| Some((id, hash?))).collect())
}

/// Accounts that can be signed in to with an address.
pub fn count_with_address(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    Ok(on!(tx, |conn| users::table
        .filter(users::email.is_not_null())
        .count()
        .get_result(conn))?)
}

/// Marks the account's address as verified, unless it is already.
pub fn mark_email_verified(
    tx: &mut Tx<'_>,
    id: UserId,
    now: DateTime<Utc>,
) -> Result<Announcement, StoreError> {
    on!(tx, |conn| diesel::update(
        users::table
            .find(id)
            .filter(users::email_verified_at.is_null())
    )
    .set((
        users::email_verified_at.eq(Some(Timestamp(now))),
        users::updated_at.eq(Timestamp(now))
    ))
    .execute(conn))?;
    Ok(Announcement::user(UserUpdated, id))
}

/// Gives the account another address, or its first, which is verified.
///
/// # Errors
/// `Taken(UserEmail)`.
pub fn set_verified_email(
    tx: &mut Tx<'_>,
    id: UserId,
    email: &Email,
    now: DateTime<Utc>,
) -> Result<Announcement, StoreError> {
    set_email(tx, id, email, Some(now), now)
}

/// Gives the account another address, or its first; `verified_at` is missing for one that is not verified yet.
///
/// # Errors
/// `Taken(UserEmail)`.
pub fn set_email(
    tx: &mut Tx<'_>,
    id: UserId,
    email: &Email,
    verified_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Announcement, StoreError> {
    on!(tx, |conn| diesel::update(users::table.find(id))
        .set((
            users::email.eq(Some(email.as_str())),
            users::email_verified_at.eq(verified_at.map(Timestamp)),
            users::updated_at.eq(Timestamp(now)),
        ))
        .execute(conn))?;
    Ok(Announcement::user(UserUpdated, id))
}

/// Ends all sessions of the user and revokes all their tokens; returns the new token version.
pub fn raise_token_version(
    tx: &mut Tx<'_>,
    id: UserId,
    now: DateTime<Utc>,
) -> Result<i32, StoreError> {
    Ok(on!(tx, |conn| diesel::update(users::table.find(id))
        .set((
            users::ver.eq(users::ver + 1),
            users::session_ver.eq(users::session_ver + 1),
            users::updated_at.eq(Timestamp(now))
        ))
        .returning(users::ver)
        .get_result(conn))?)
}

/// Ends all sessions of the user. Their access tokens are not revoked, so the database is asked about each until they
/// have expired.
pub fn raise_session_version(
    tx: &mut Tx<'_>,
    id: UserId,
    checked_until: DateTime<Utc>,
) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::update(users::table.find(id))
        .set((
            users::session_ver.eq(users::session_ver + 1),
            users::sessions_checked_until.eq(Some(Timestamp(checked_until)))
        ))
        .execute(conn))?;
    Ok(())
}

/// Disables an account, unless it is disabled already.
pub fn disable(
    tx: &mut Tx<'_>,
    id: UserId,
    now: DateTime<Utc>,
) -> Result<Announcement, StoreError> {
    on!(tx, |conn| diesel::update(
        users::table.find(id).filter(users::disabled_at.is_null())
    )
    .set((
        users::disabled_at.eq(Some(Timestamp(now))),
        users::updated_at.eq(Timestamp(now))
    ))
    .execute(conn))?;
    Ok(Announcement::user(UserDisabled, id))
}

/// Enables a disabled account.
pub fn enable(tx: &mut Tx<'_>, id: UserId, now: DateTime<Utc>) -> Result<Announcement, StoreError> {
    later!(
        tx,
        diesel::update(users::table.find(id)).set((
            users::disabled_at.eq(None::<Timestamp>),
            users::updated_at.eq(Timestamp(now))
        ))
    )?;
    Ok(Announcement::user(UserEnabled, id))
}

/// Deletes what the account can be found by; [`delete`] deletes the rest once its sessions are gone.
pub fn hide(tx: &mut Tx<'_>, id: UserId, now: DateTime<Utc>) -> Result<Announcement, StoreError> {
    on!(tx, |conn| diesel::update(users::table.find(id))
        .set((
            users::email.eq(None::<&str>),
            users::name.eq(""),
            users::first_name.eq(None::<&str>),
            users::last_name.eq(None::<&str>),
            users::password_hash.eq(None::<&str>),
            users::disabled_at.eq(Some(Timestamp(now))),
            users::deleted_at.eq(Some(Timestamp(now))),
        ))
        .execute(conn))?;
    Ok(Announcement::user(UserDeleted, id))
}

/// An account that [`hide`] was called for.
pub fn find_hidden(tx: &mut Tx<'_>) -> Result<Option<UserId>, StoreError> {
    Ok(on!(tx, |conn| users::table
        .filter(users::deleted_at.is_not_null())
        .select(users::id)
        .order(users::id)
        .get_result(conn)
        .optional())?)
}

/// Deletes an account and everything that belongs to it.
pub fn delete(tx: &mut Tx<'_>, id: UserId) -> Result<Announcement, StoreError> {
    on!(tx, |conn| diesel::delete(users::table.find(id))
        .execute(conn))?;
    Ok(Announcement::user(UserDeleted, id))
}

/// Deletes an account that [`hide`] was called for, which has announced it.
pub fn delete_hidden(tx: &mut Tx<'_>, id: UserId) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::delete(
        users::table
            .find(id)
            .filter(users::deleted_at.is_not_null())
    )
    .execute(conn))?;
    Ok(())
}
