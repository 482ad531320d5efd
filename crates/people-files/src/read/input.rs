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

    /// The file of `[also.NAME]`.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        self.with.insert(name.into(), path.into());
        self
    }
}

/// # Errors
/// There are no people there, or `--with` names what the mapping does not have.
pub(crate) fn people_table(input: &Input, mapping: &Mapping) -> Result<Box<dyn Table>, OpenError> {
    let unknown = input
        .with
        .keys()
        .find(|name| !mapping.also.contains_key(*name));
    if let Some(name) = unknown {
        let known = mapping.also.keys().map(|name| &**name);
        return Err(OpenError::UnknownTable {
            name: name.clone(),
            known: listed("It has", known, name),
        });
    }
    let names = &mapping.table.0;
    let missing = |input: String, tables: &[String]| {
        let what = match names.first() {
            None => "`table` of the mapping must say which table has the people.".to_owned(),
            Some(name) => format!("there is no table {}.", named(names, name)),
        };
        let wanted = names.first().map_or("users", |name| name);
        let known = listed("There are", tables.iter().map(|name| &**name), wanted);
        OpenError::NotThis {
            input,
            what: format!("{what} {known}"),
        }
    };
    match &input.people {
        Place::Postgres(database) => {
            for name in names {
                if let Some(table) = database.table(name)? {
                    return Ok(Box::new(table));
                }
            }
            Err(missing("the database".to_owned(), &database.tables()?))
        }
        Place::File(path) if is_sqlite(path)? => {
            let database = Sqlite::open(path)?;
            for name in names {
                if let Some(table) = database.table(name)? {
                    return Ok(Box::new(table));
                }
            }
            Err(missing(path.display().to_string(), &database.tables()?))
        }
        Place::File(path) => file_table(path, names, &mapping.format),
    }
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
    let own = [name.to_owned()];
    let names = if also.from.0.is_empty() {
        &own[..]
    } else {
        &also.from.0
    };
    if let Some(path) = input.with.get(name) {
        // The columns of a file without a header are those of the people.
        let format = Format {
            columns: None,
            path: None,
            ..mapping.format.clone()
        };
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
    if table.is_some() || also.optional {
        return Ok(table);
    }
    let known = listed(
        "There are",
        tables.iter().map(|name| &**name),
        names.first().map_or(name, |name| name),
    );
    Err(OpenError::MissingTable {
        name: name.to_owned(),
        known,
    })
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

fn named(names: &[String], first: &str) -> String {
    match names {
        [] | [_] => format!("{first:?}"),
        many => many
            .iter()
            .map(|name| format!("{name:?}"))
            .collect::<Vec<_>>()
            .join(" or "),
    }
}

/// `There are: a, b, c. Did you mean b?`
pub(crate) fn listed<'a>(
    start: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    wanted: &str,
) -> String {
    const SHOWN: usize = 40;
    let all: Vec<&str> = known.clone().collect();
    if all.is_empty() {
        return format!("{start} none.");
    }
    let mut shown: Vec<&str> = all.iter().copied().take(SHOWN).collect();
    if all.len() > SHOWN {
        shown.push("…");
    }
    let meant = nearest(wanted, known).map(|meant| format!(" Did you mean {meant:?}?"));
    format!(
        "{start}: {}.{}",
        shown.join(", "),
        meant.unwrap_or_default()
    )
}
