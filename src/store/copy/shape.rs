//! The tables that are copied, and their columns as `schema` declares them.

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, SmallInt, SqlType, Text};

use crate::store::schema;
use crate::store::types::{Id, Instant};

/// How a column is written in the canonical text of a row, a JSON array: an id in 32 hexadecimal digits, an instant in
/// microseconds since 1970, a truth value as 0 or 1, and everything else as JSON has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Id,
    Instant,
    Text,
    Integer,
    Bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Column {
    pub name: &'static str,
    pub kind: Kind,
}

#[derive(Debug)]
pub(super) struct Table {
    pub name: &'static str,
    pub columns: Vec<Column>,
}

trait HasKind {
    const KIND: Kind;
}

macro_rules! kinds {
    ($($sql_type:ty => $kind:ident,)*) => {$(
        impl HasKind for $sql_type {
            const KIND: Kind = Kind::$kind;
        }
    )*};
}

kinds! {
    Id => Id,
    Instant => Instant,
    Text => Text,
    SmallInt => Integer,
    Integer => Integer,
    BigInt => Integer,
    Bool => Bool,
}

impl<T: HasKind + SqlType> HasKind for Nullable<T> {
    const KIND: Kind = T::KIND;
}

/// A tuple of columns, which Diesel has for each table.
trait Columns {
    fn list() -> Vec<Column>;
}

macro_rules! tuples_of {
    () => {};
    ($first:ident $($rest:ident)*) => {
        impl<$first, $($rest),*> Columns for ($first, $($rest,)*)
        where
            $first: diesel::Column<SqlType: HasKind>,
            $($rest: diesel::Column<SqlType: HasKind>,)*
        {
            fn list() -> Vec<Column> {
                vec![
                    Column { name: $first::NAME, kind: <$first::SqlType as HasKind>::KIND },
                    $(Column { name: $rest::NAME, kind: <$rest::SqlType as HasKind>::KIND },)*
                ]
            }
        }

        tuples_of!($($rest)*);
    };
}

tuples_of!(A B C D E F G H I J K L M N O P Q R S T);

macro_rules! tables {
    ($($name:ident)*) => {
        vec![$(Table {
            name: stringify!($name),
            columns: {
                fn of<T: diesel::Table<AllColumns: Columns>>(_: T) -> Vec<Column> {
                    T::AllColumns::list()
                }
                of(schema::$name::table)
            },
        },)*]
    };
}

/// Whatever a row refers to comes before it.
pub(super) fn tables() -> Vec<Table> {
    let mut tables = tables!(
        users organizations imports external_organizations external_ids slug_aliases memberships
        reporting_lines active_organizations sessions legacy_sessions workspaces identities removed_identities detached_identities totp recovery_codes api_tokens services service_keys
        invitations join_links webhooks webhook_deliveries outbox one_time_tokens slack_states known_addresses
        known_devices failed_attempts failures_in_a_row signing_keys changes audit
    );
    for table in &mut tables {
        table
            .columns
            .retain(|column| !is_left_out(table.name, column.name));
    }
    tables
}

/// The id of a transaction says nothing in another database. A running instance of the target reads the copied rows as
/// new ones.
fn is_left_out(table: &str, column: &str) -> bool {
    table == "changes" && column == "xid"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_table_is_copied_but_those_that_are_made_from_others() {
        let schema = include_str!("../schema.rs");
        let declared: BTreeSet<&str> = schema
            .split("table! {")
            .skip(1)
            .filter_map(|text| text.split(" (").next()?.split_whitespace().last())
            .collect();
        let copied: BTreeSet<&str> = tables().iter().map(|table| table.name).collect();
        let others: Vec<_> = declared.difference(&copied).copied().collect();
        // Filled again from users and memberships, in the letters of the target.
        assert_eq!(others, ["searchable_people"]);
        assert!(copied.is_subset(&declared));
    }

    #[test]
    fn columns_have_the_kinds_of_the_schema() {
        let tables = tables();
        let of = |name: &str| tables.iter().find(|table| table.name == name).unwrap();
        let kind = |table: &str, column: &str| {
            of(table)
                .columns
                .iter()
                .find(|it| it.name == column)
                .map(|it| it.kind)
        };
        assert_eq!(of("users").columns.len(), 16);
        for (table, column, expected) in [
            ("users", "id", Some(Kind::Id)),
            ("users", "email", Some(Kind::Text)),
            ("users", "ver", Some(Kind::Integer)),
            ("users", "deleted_at", Some(Kind::Instant)),
            ("organizations", "require_mfa", Some(Kind::Bool)),
            ("outbox", "priority", Some(Kind::Integer)),
            ("totp", "last_step", Some(Kind::Integer)),
            ("changes", "seq", Some(Kind::Integer)),
            ("changes", "xid", None),
        ] {
            assert_eq!(kind(table, column), expected, "{table}.{column}");
        }
    }
}
