//! Our own two SQL types, native in each database, and conversions from and to Rust.
//!
//! | type | PostgreSQL | SQLite |
//! |---|---|---|
//! | `Id` | `uuid` | 16-byte `blob` |
//! | `Instant` | `timestamptz` | `integer`, microseconds since 1970 UTC |

use chrono::{DateTime, Utc};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{self, SqlType};
use diesel::sqlite::{Sqlite, SqliteValue};
use uuid::Uuid;

use crate::domain::ids::{AuditId, EmailId};
use crate::domain::{
    ApiTokenId, IdentityId, ImportId, InvitationId, JoinLinkId, OrganizationId, ServiceId,
    ServiceKeyId, SessionId, SlackStateId, UserId, WebhookEventId, WebhookId,
};

#[derive(Debug, Clone, Copy, QueryId, SqlType)]
#[diesel(
    postgres_type(oid = 2950, array_oid = 2951),
    sqlite_type(name = "Binary")
)]
#[expect(
    unnameable_types,
    reason = "it appears in public signatures, and only this folder uses it"
)]
pub struct Id;

#[derive(Debug, Clone, Copy, QueryId, SqlType)]
#[diesel(
    postgres_type(oid = 1184, array_oid = 1185),
    sqlite_type(name = "Long")
)]
#[expect(
    unnameable_types,
    reason = "it appears in public signatures, and only this folder uses it"
)]
pub struct Instant;

impl sql_types::SqlOrd for Instant {}

macro_rules! stored_as_id {
    ($($name:ident),*) => {$(
        const _: () = {
            #[derive(AsExpression, FromSqlRow)]
            #[diesel(foreign_derive, sql_type = Id)]
            #[expect(dead_code, reason = "a foreign derive reads the type and leaves the struct alone")]
            struct Proxy($name);
        };

        impl ToSql<Id, Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                ToSql::<sql_types::Uuid, Pg>::to_sql(&self.0, out)
            }
        }

        impl ToSql<Id, Sqlite> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                out.set_value(self.0.as_bytes().as_slice());
                Ok(IsNull::No)
            }
        }

        impl FromSql<Id, Pg> for $name {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                FromSql::<sql_types::Uuid, Pg>::from_sql(value).map(Self)
            }
        }

        impl FromSql<Id, Sqlite> for $name {
            fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
                Ok(Self(Uuid::from_slice(value.read_blob())?))
            }
        }
    )*};
}

stored_as_id!(
    UserId,
    OrganizationId,
    SessionId,
    SlackStateId,
    ApiTokenId,
    AuditId,
    EmailId,
    InvitationId,
    IdentityId,
    ImportId,
    JoinLinkId,
    ServiceId,
    ServiceKeyId,
    WebhookId,
    WebhookEventId
);

/// A point in time as it is read from or written to a database.
#[derive(Debug, Clone, Copy, AsExpression, FromSqlRow)]
#[diesel(sql_type = Instant)]
#[expect(
    unnameable_types,
    reason = "it appears in public signatures, and only this folder uses it"
)]
pub struct Timestamp(pub DateTime<Utc>);

impl ToSql<Instant, Pg> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<sql_types::Timestamptz, Pg>::to_sql(&self.0, out)
    }
}

impl ToSql<Instant, Sqlite> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.timestamp_micros());
        Ok(IsNull::No)
    }
}

impl FromSql<Instant, Pg> for Timestamp {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<sql_types::Timestamptz, Pg>::from_sql(value).map(Self)
    }
}

impl FromSql<Instant, Sqlite> for Timestamp {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let micros = value.read_long();
        DateTime::from_timestamp_micros(micros)
            .map(Self)
            .ok_or_else(|| {
                format!("{micros} is out of range for a timestamp in microseconds").into()
            })
    }
}
