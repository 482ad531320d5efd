//! Reading and writing rows of any table as canonical texts, on both databases.

use diesel::connection::SimpleConnection as _;
use diesel::dsl::{select, sql};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Bool, Text};
use serde_json::Value;

use super::shape::{Column, Kind, Table};
use crate::store::migrations::ADVANCE_SEQUENCES;
use crate::store::{StoreError, Tx, on};

/// Rows that are read or written at once.
pub(super) const BATCH: usize = 1_000;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    row: String,
}

/// Calls `with` for each row of the table, in canonical text.
pub(super) fn read(
    tx: &mut Tx<'_>,
    table: &Table,
    mut with: impl FnMut(String) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| read_column(tx, *column))
        .collect();
    let array = match tx {
        Tx::Sqlite(_) => format!("json_array({})", columns.join(", ")),
        Tx::Postgres(_) => format!("json_build_array({})::text", columns.join(", ")),
    };
    let query = format!("select {array} as row from {}{}", table.name, order(table));
    match tx {
        Tx::Sqlite(connection) => {
            for row in sql_query(query).load_iter::<Row, _>(*connection)? {
                with(canonical(&row?.row)?)?;
            }
        }
        Tx::Postgres(connection) => {
            connection.batch_execute(&format!("declare copied no scroll cursor for {query}"))?;
            let fetch = format!("fetch {BATCH} from copied");
            loop {
                let rows: Vec<Row> = sql_query(&fetch).load(*connection)?;
                if rows.is_empty() {
                    break;
                }
                for row in rows {
                    with(canonical(&row.row)?)?;
                }
            }
            connection.batch_execute("close copied")?;
        }
    }
    Ok(())
}

/// Managers come before their people, to whom the rows of these refer.
fn order(table: &Table) -> &'static str {
    match table.name {
        "memberships" => {
            " order by (select count(*) from reporting_lines as line
                where line.organization_id = memberships.organization_id and line.user_id = memberships.user_id)"
        }
        // As they were written.
        "changes" | "failed_attempts" => " order by seq",
        _ => "",
    }
}

fn read_column(tx: &Tx<'_>, Column { name, kind }: Column) -> String {
    match (tx, kind) {
        (Tx::Sqlite(_), Kind::Id) => {
            format!("case when {name} is not null then lower(hex({name})) end")
        }
        (Tx::Postgres(_), Kind::Id) => format!("replace({name}::text, '-', '')"),
        (Tx::Postgres(_), Kind::Instant) => {
            format!("(extract(epoch from {name}) * 1000000)::bigint")
        }
        (Tx::Postgres(_), Kind::Bool) => format!("{name}::integer"),
        _ => format!("\"{name}\""),
    }
}

/// Databases differ in spaces and in what they escape.
fn canonical(row: &str) -> Result<String, StoreError> {
    let row: Value = serde_json::from_str(row)
        .map_err(|error| StoreError::Failed(format!("a row is not JSON: {error}")))?;
    Ok(row.to_string())
}

/// Inserts rows.
pub(super) fn write(tx: &mut Tx<'_>, table: &Table, rows: &[String]) -> Result<(), StoreError> {
    let names: Vec<String> = table
        .columns
        .iter()
        .map(|it| format!("\"{}\"", it.name))
        .collect();
    let values: Vec<String> = table
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| write_column(tx, at, column.kind))
        .collect();
    let (how, list) = match tx {
        Tx::Sqlite(_) => ("", "json_each(?)"),
        // Numbers that the database gives are copied as well.
        Tx::Postgres(_) => (
            " overriding system value",
            "jsonb_array_elements($1::jsonb)",
        ),
    };
    let insert = format!(
        "insert into {} ({}){how} select {} from {list} as copied",
        table.name,
        names.join(", "),
        values.join(", ")
    );
    let list = format!("[{}]", rows.join(","));
    on!(tx, |conn| sql_query(insert)
        .bind::<Text, _>(list)
        .execute(conn))?;
    Ok(())
}

fn write_column(tx: &Tx<'_>, at: usize, kind: Kind) -> String {
    let text = format!("copied.value ->> {at}");
    match (tx, kind) {
        (Tx::Sqlite(_), Kind::Id) => format!("unhex({text})"),
        (Tx::Sqlite(_), _) | (Tx::Postgres(_), Kind::Text) => text,
        (Tx::Postgres(_), Kind::Id) => format!("({text})::uuid"),
        // In two parts, because a floating-point number of seconds is not exact.
        (Tx::Postgres(_), Kind::Instant) => format!(
            "to_timestamp(({text})::bigint / 1000000) + (({text})::bigint % 1000000) * interval '1 microsecond'"
        ),
        (Tx::Postgres(_), Kind::Integer) => format!("({text})::bigint"),
        (Tx::Postgres(_), Kind::Bool) => format!("({text})::integer::boolean"),
    }
}

pub(super) fn is_empty(tx: &mut Tx<'_>, table: &Table) -> Result<bool, StoreError> {
    let query = format!("not exists (select 1 from {})", table.name);
    Ok(on!(tx, |conn| select(sql::<Bool>(&query)).get_result(conn))?)
}

pub(super) fn clear(tx: &mut Tx<'_>, table: &str) -> Result<(), StoreError> {
    on!(tx, |conn| conn
        .batch_execute(&format!("delete from {table}")))?;
    Ok(())
}

/// Triggers that do not run until they are [restored](Self::restore): what they would write is copied.
pub(super) struct Suspended(Vec<String>);

#[derive(QueryableByName)]
struct Trigger {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    sql: String,
}

impl Suspended {
    pub(super) fn triggers(tx: &mut Tx<'_>, tables: &[Table]) -> Result<Self, StoreError> {
        match tx {
            Tx::Sqlite(connection) => {
                let list = "select name, sql from sqlite_master where type = 'trigger'";
                let triggers: Vec<Trigger> = sql_query(list).load(*connection)?;
                for Trigger { name, .. } in &triggers {
                    connection.batch_execute(&format!("drop trigger {name}"))?;
                }
                Ok(Self(triggers.into_iter().map(|it| it.sql).collect()))
            }
            Tx::Postgres(connection) => {
                // Those of foreign keys belong to the system, and go on running.
                let alter = |word: &str| {
                    let each = tables
                        .iter()
                        .map(|it| format!("alter table {} {word} trigger user", it.name));
                    each.collect::<Vec<_>>()
                };
                connection.batch_execute(&alter("disable").join(";"))?;
                Ok(Self(alter("enable")))
            }
        }
    }

    pub(super) fn restore(self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        for statement in self.0 {
            on!(tx, |conn| conn.batch_execute(&statement))?;
        }
        Ok(())
    }
}

/// Fills what a search of people compares, which the databases write in lower case by different rules.
pub(super) fn fill_searchable_people(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    match tx {
        Tx::Sqlite(connection) => connection.batch_execute(
            "insert into searchable_people (organization_id, user_id, text, number)
             select m.organization_id, m.user_id, lower(u.name) || char(10) || coalesce(u.email, ''), row_number() over ()
             from memberships as m join users as u on u.id = m.user_id;
             insert into searchable_people_index (searchable_people_index) values ('rebuild');",
        )?,
        Tx::Postgres(connection) => connection.batch_execute(
            "insert into searchable_people (organization_id, user_id, text)
             select m.organization_id, m.user_id, searchable_text(u.name, u.email)
             from memberships as m join users as u on u.id = m.user_id",
        )?,
    }
    Ok(())
}

/// The next numbers are above those that were copied. SQLite sees to that itself.
pub(super) fn advance_sequences(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    if let Tx::Postgres(connection) = tx {
        connection.batch_execute(ADVANCE_SEQUENCES)?;
    }
    Ok(())
}
