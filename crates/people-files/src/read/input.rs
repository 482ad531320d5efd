//! Where people are, and where further tables are.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use tokio_postgres::Socket;
use tokio_postgres::tls::MakeTlsConnect;

use super::Table;
use super::csv::CsvTable;
use super::json::{Lines, List, Shape, keys};
use super::postgres::Postgres;
use super::sqlite::{MAGIC, Sqlite};
use super::text::TextFile;
use crate::error::OpenError;
use crate::mapping::{Also, FileType, Format, Mapping};
use crate::nearest::nearest;

/// A file or a database, and files of further tables.
pub struct Input {
    people: Place,
    with: BTreeMap<String, PathBuf>,
}

enum Place {
    File(PathBuf),
    Postgres(Postgres),
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let people = match &self.people {
            Place::File(path) => path.display().to_string(),
            Place::Postgres(_) => "PostgreSQL".to_owned(),
        };
        f.debug_struct("Input")
            .field("people", &people)
            .field("with", &self.with)
            .finish()
    }
}

impl Input {
    /// CSV, NDJSON or JSON, also with gzip, or a SQLite database.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            people: Place::File(path.into()),
            with: BTreeMap::new(),
        }
    }

    /// Reads a database at PostgreSQL. Blocks, and must not be called within a runtime of Tokio.
    ///
    /// # Errors
    /// The URL cannot be read, or the server does not let us in.
    pub fn postgres<T>(url: &str, tls: T) -> Result<Self, OpenError>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
    {
        let people = Place::Postgres(Postgres::connect(url, tls)?);
        Ok(Self {
            people,
            with: BTreeMap::new(),
        })
    }

    /// The file of `[also.NAME]`, or of the table that it reads.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        self.with.insert(name.into(), path.into());
        self
    }
}

/// # Errors
/// `--with` names what the mapping does not read.
pub(crate) fn check_with(input: &Input, mapping: &Mapping) -> Result<(), OpenError> {
    let tables = || {
        mapping
            .also
            .iter()
            .flat_map(|(name, also)| tables_of(name, also))
    };
    match input
        .with
        .keys()
        .find(|name| !tables().any(|table| table == *name))
    {
        None => Ok(()),
        Some(name) => Err(OpenError::UnknownTable {
            name: name.clone(),
            known: listed("It reads", tables().map(|table| &**table), name),
        }),
    }
}

/// # Errors
/// There are no people there.
pub(crate) fn people_table(input: &Input, mapping: &Mapping) -> Result<Box<dyn Table>, OpenError> {
    let names = &mapping.table.0;
    let (table, tables, place) = match &input.people {
        Place::Postgres(database) => {
            let table = first(names, |name| database.table(name).map(boxed))?;
            (table, database.tables()?, "the database".to_owned())
        }
        Place::File(path) if is_sqlite(path)? => {
            let database = Sqlite::open(path)?;
            let table = first(names, |name| database.table(name).map(boxed))?;
            (table, database.tables()?, path.display().to_string())
        }
        Place::File(path) => return file_table(path, names, &mapping.format),
    };
    table.ok_or_else(|| {
        let what = match &**names {
            [] => "`table` of the mapping must say which table has the people.".to_owned(),
            names => format!("there is no table {}.", names.join(" or ")),
        };
        let wanted = names.first().map_or("users", |name| name);
        let known = listed("There are", tables.iter().map(|name| &**name), wanted);
        OpenError::NotThis {
            input: place,
            what: format!("{what} {known}"),
        }
    })
}

/// `None` if there is no such table, and there need not be.
///
/// # Errors
/// It cannot be read, or is missing.
pub(crate) fn also_table(
    input: &Input,
    name: &str,
    also: &Also,
    mapping: &Mapping,
) -> Result<Option<Box<dyn Table>>, OpenError> {
    let own = name.to_owned();
    let names = if also.from.0.is_empty() {
        std::slice::from_ref(&own)
    } else {
        &also.from.0
    };
    if let Some(path) = tables_of(&own, also).find_map(|table| input.with.get(table)) {
        // The columns of a file without a header are those of the people.
        let format = Format {
            columns: None,
            path: None,
            ..mapping.format.clone()
        };
        if is_sqlite(path)? {
            let database = Sqlite::open(path)?;
            let table = first(names, |name| database.table(name).map(boxed))?;
            return existing(table, &database.tables()?, name, also);
        }
        return file_table(path, names, &format).map(Some);
    }
    let (table, tables) = match &input.people {
        Place::Postgres(database) => (
            first(names, |name| database.table(name).map(boxed))?,
            database.tables()?,
        ),
        Place::File(path) if is_sqlite(path)? => {
            let database = Sqlite::open(path)?;
            (
                first(names, |name| database.table(name).map(boxed))?,
                database.tables()?,
            )
        }
        Place::File(path) => list_beside(path, names, &mapping.format)?,
    };
    existing(table, &tables, name, also)
}

fn existing(
    table: Option<Box<dyn Table>>,
    tables: &[String],
    name: &str,
    also: &Also,
) -> Result<Option<Box<dyn Table>>, OpenError> {
    if table.is_some() || also.optional {
        return Ok(table);
    }
    let wanted = also.from.0.first().map_or(name, |name| name);
    let known = listed("There are", tables.iter().map(|name| &**name), wanted);
    Err(OpenError::MissingTable {
        name: name.to_owned(),
        known,
    })
}

/// What `--with` can call it: its name in the mapping, or that of the table.
fn tables_of<'a>(name: &'a String, also: &'a Also) -> impl Iterator<Item = &'a String> {
    std::iter::once(name).chain(&also.from.0)
}

type Found = (Option<Box<dyn Table>>, Vec<String>);

/// A further list of the JSON object in which the people are.
fn list_beside(path: &Path, names: &[String], format: &Format) -> Result<Found, OpenError> {
    let file = TextFile::open(path, format.encoding)?;
    if !matches!(format.file_type, FileType::Auto | FileType::Json)
        || Shape::of(&file)? != Shape::Object
    {
        return Ok((None, Vec::new()));
    }
    let above = above(format);
    let lists: Vec<String> = keys(&file, &above)?
        .into_iter()
        .filter(|(_, is_list)| *is_list)
        .map(|(key, _)| key)
        .collect();
    let found = names.iter().find(|name| lists.contains(name));
    let table = found.map(|name| {
        boxed_one(List::new(
            file,
            [&*above, std::slice::from_ref(name)].concat(),
        ))
    });
    Ok((table, lists))
}

fn file_table(path: &Path, names: &[String], format: &Format) -> Result<Box<dyn Table>, OpenError> {
    let file = TextFile::open(path, format.encoding)?;
    let shape = match format.file_type {
        FileType::Csv => Shape::NotJson,
        FileType::Ndjson => Shape::Lines,
        FileType::Json | FileType::Auto => Shape::of(&file)?,
    };
    if shape != Shape::NotJson {
        file.must_be_utf8()?;
    }
    match shape {
        Shape::NotJson if format.file_type == FileType::Json => Err(OpenError::NotThis {
            input: file.name(),
            what: "it is no JSON.".to_owned(),
        }),
        Shape::NotJson => Ok(Box::new(CsvTable::open(file, format)?)),
        Shape::List => Ok(Box::new(List::new(file, Vec::new()))),
        Shape::Lines if format.file_type != FileType::Json => Ok(Box::new(Lines::new(file))),
        Shape::Object | Shape::Lines => inside_object(file, names, format),
    }
}

/// The list in an object that the mapping names, or the object itself as the only row.
fn inside_object(
    file: TextFile,
    names: &[String],
    format: &Format,
) -> Result<Box<dyn Table>, OpenError> {
    let above = above(format);
    if format.path.is_some() && names.is_empty() {
        return Ok(Box::new(List::new(file, above)));
    }
    let lists = keys(&file, &above)?
        .into_iter()
        .filter(|(_, is_list)| *is_list);
    let lists: Vec<String> = lists.map(|(key, _)| key).collect();
    match names.iter().find(|name| lists.contains(name)) {
        Some(name) => Ok(Box::new(List::new(
            file,
            [&*above, std::slice::from_ref(name)].concat(),
        ))),
        None if format.path.is_some() => Ok(Box::new(List::new(file, above))),
        None => Ok(Box::new(Lines::new(file))),
    }
}

fn above(format: &Format) -> Vec<String> {
    format
        .path
        .iter()
        .flat_map(|path| path.split('.'))
        .map(str::to_owned)
        .collect()
}

fn first<T>(
    names: &[String],
    find: impl Fn(&str) -> Result<Option<T>, OpenError>,
) -> Result<Option<T>, OpenError> {
    names
        .iter()
        .find_map(|name| find(name).transpose())
        .transpose()
}

fn boxed(table: Option<impl Table + 'static>) -> Option<Box<dyn Table>> {
    table.map(boxed_one)
}

fn boxed_one(table: impl Table + 'static) -> Box<dyn Table> {
    Box::new(table)
}

fn is_sqlite(path: &Path) -> Result<bool, OpenError> {
    let failed = |error| OpenError::File {
        file: path.to_owned(),
        error,
    };
    let mut head = Vec::new();
    let limit = u64::try_from(MAGIC.len()).unwrap_or(u64::MAX);
    File::open(path)
        .map_err(failed)?
        .take(limit)
        .read_to_end(&mut head)
        .map_err(failed)?;
    Ok(head == MAGIC)
}

/// `There are: a, b, c. Did you mean "b"?`
pub(crate) fn listed<'a>(
    start: &str,
    known: impl Iterator<Item = &'a str>,
    wanted: &str,
) -> String {
    const SHOWN: usize = 40;
    let all: Vec<&str> = known.collect();
    if all.is_empty() {
        return format!("{start} none.");
    }
    let shown: Vec<&str> = all.iter().copied().take(SHOWN).collect();
    let more = if all.len() > SHOWN { ", …" } else { "" };
    let meant = nearest(wanted, all.iter().copied());
    let meant = meant
        .map(|meant| format!(" Did you mean {meant:?}?"))
        .unwrap_or_default();
    format!("{start}: {}{more}.{meant}", shown.join(", "))
}
