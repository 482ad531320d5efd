//! JSON: an object on each line, a list of objects, or an object with lists inside.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::text::{MAX_ROW_BYTES, TextFile};
use super::{Each, Table};
use crate::error::OpenError;
use crate::path::Row;

/// Larger than a row elsewhere: an organization of some systems holds its members.
const MAX_ELEMENT_BYTES: usize = 16 << 20;

/// What the first characters of a file say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `[`
    List,
    /// One object, and nothing behind it.
    Object,
    /// Several objects.
    Lines,
    /// Something else.
    NotJson,
}

impl Shape {
    /// Reads up to the end of the first object.
    pub(crate) fn of(file: &TextFile) -> Result<Self, OpenError> {
        match file.head()?.trim_start().bytes().next() {
            Some(b'[') => return Ok(Self::List),
            Some(b'{') => {}
            _ => return Ok(Self::NotJson),
        }
        let mut values =
            serde_json::Deserializer::from_reader(file.reader()?).into_iter::<IgnoredAny>();
        let first = values.next().is_some_and(|first| first.is_ok());
        Ok(if first && values.next().is_some() {
            Self::Lines
        } else {
            Self::Object
        })
    }
}

/// An object on each line.
pub(crate) struct Lines {
    file: TextFile,
}

impl Lines {
    pub(crate) fn new(file: TextFile) -> Self {
        Self { file }
    }
}

impl Table for Lines {
    fn name(&self) -> String {
        self.file.name()
    }

    fn form(&self) -> String {
        format!("NDJSON, {}", self.file.encoding())
    }

    fn columns(&self) -> Option<&[String]> {
        None
    }

    fn read(&mut self, each: &mut Each<'_>) -> Result<(), OpenError> {
        let mut reader = self.file.reader()?;
        let mut line = Vec::new();
        for row in 1.. {
            line.clear();
            let limit = u64::try_from(MAX_ROW_BYTES).unwrap_or(u64::MAX);
            let read = (&mut reader).take(limit).read_until(b'\n', &mut line);
            if read.map_err(|error| self.file.failed(error))? == 0 {
                break;
            }
            let wrong = |what: String| OpenError::WrongShape {
                input: self.file.name(),
                row,
                what,
            };
            if line.len() == MAX_ROW_BYTES {
                return Err(wrong("it is longer than 4 MB".to_owned()));
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let object: Row = serde_json::from_slice(&line)
                .map_err(|error| wrong(format!("it is no JSON object: {error}")))?;
            each(row, object)?;
        }
        Ok(())
    }
}

/// A list of objects, at the top or inside an object.
pub(crate) struct List {
    file: TextFile,
    /// Keys down to the list.
    path: Vec<String>,
}

impl List {
    pub(crate) fn new(file: TextFile, path: Vec<String>) -> Self {
        Self { file, path }
    }
}

impl Table for List {
    fn name(&self) -> String {
        match &*self.path {
            [] => self.file.name(),
            path => format!("{:?} of {}", path.join("."), self.file.name()),
        }
    }

    fn form(&self) -> String {
        format!("JSON, {}", self.file.encoding())
    }

    fn columns(&self) -> Option<&[String]> {
        None
    }

    fn read(&mut self, each: &mut Each<'_>) -> Result<(), OpenError> {
        let in_row = Rc::new(Cell::new(None));
        let state = RefCell::new(State {
            each,
            in_row: Rc::clone(&in_row),
            row: 0,
            is_found: false,
            failure: None,
        });
        let limited = Limited {
            text: self.file.reader()?,
            in_row: Rc::clone(&in_row),
        };
        let mut reader = serde_json::Deserializer::from_reader(BufReader::new(limited));
        let read = ListAt {
            path: &self.path,
            state: &state,
        }
        .deserialize(&mut reader);
        let read = read.and_then(|()| reader.end());
        let state = state.into_inner();
        if let Some(failure) = state.failure {
            return Err(failure);
        }
        match read {
            Err(error) => Err(OpenError::WrongShape {
                input: self.name(),
                row: state.row + 1,
                what: error.to_string(),
            }),
            Ok(()) if !state.is_found => Err(OpenError::NotThis {
                input: self.file.name(),
                what: format!("there is no list at {:?}", self.path.join(".")),
            }),
            Ok(()) => Ok(()),
        }
    }
}

/// Ends an element that is larger than all of a row can be.
struct Limited {
    text: Box<dyn BufRead>,
    in_row: Rc<Cell<Option<usize>>>,
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self
            .in_row
            .get()
            .is_some_and(|bytes| bytes > MAX_ELEMENT_BYTES)
        {
            return Err(io::Error::other("it is longer than 16 MB"));
        }
        let read = self.text.read(buffer)?;
        self.in_row.set(self.in_row.get().map(|bytes| bytes + read));
        Ok(read)
    }
}

struct State<'e, 'f> {
    each: &'e mut Each<'f>,
    /// Bytes read since an element began; none outside of one.
    in_row: Rc<Cell<Option<usize>>>,
    /// How many have been read.
    row: u64,
    is_found: bool,
    failure: Option<OpenError>,
}

/// Goes down the path, and hands out the elements of the list there.
struct ListAt<'p, 's, 'e, 'f> {
    path: &'p [String],
    state: &'s RefCell<State<'e, 'f>>,
}

impl<'de> DeserializeSeed<'de> for ListAt<'_, '_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.path.is_empty() {
            deserializer.deserialize_seq(self)
        } else {
            deserializer.deserialize_map(self)
        }
    }
}

impl<'de> Visitor<'de> for ListAt<'_, '_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.first() {
            Some(key) => write!(f, "an object with {key:?}"),
            None => f.write_str("a list of objects"),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((wanted, path)) = self.path.split_first() else {
            return Ok(());
        };
        while let Some(key) = map.next_key::<String>()? {
            if key == *wanted {
                map.next_value_seed(ListAt {
                    path,
                    state: self.state,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.state.borrow_mut().is_found = true;
        let in_row = Rc::clone(&self.state.borrow().in_row);
        loop {
            in_row.set(Some(0));
            let object = list.next_element::<Row>()?;
            in_row.set(None);
            let Some(object) = object else { return Ok(()) };
            let state = &mut *self.state.borrow_mut();
            state.row += 1;
            if let Err(failure) = (state.each)(state.row, object) {
                state.failure = Some(failure);
                return Err(A::Error::custom("stopped"));
            }
        }
    }
}

/// The keys of an object, and those among them that hold lists.
pub(crate) fn keys(file: &TextFile, path: &[String]) -> Result<Vec<(String, bool)>, OpenError> {
    let mut found = Vec::new();
    let mut reader = serde_json::Deserializer::from_reader(file.reader()?);
    let read = KeysAt {
        path,
        found: &mut found,
    }
    .deserialize(&mut reader);
    match read {
        Ok(()) => Ok(found),
        Err(error) => Err(OpenError::NotThis {
            input: file.name(),
            what: format!("it is no JSON: {error}"),
        }),
    }
}

struct KeysAt<'p, 'f> {
    path: &'p [String],
    found: &'f mut Vec<(String, bool)>,
}

impl<'de> DeserializeSeed<'de> for KeysAt<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for KeysAt<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match self.path.split_first() {
                Some((wanted, path)) if *wanted == key => {
                    map.next_value_seed(KeysAt {
                        path,
                        found: self.found,
                    })?;
                }
                Some(_) => {
                    map.next_value::<IgnoredAny>()?;
                }
                None => {
                    let IsList(is_list) = map.next_value()?;
                    self.found.push((key, is_list));
                }
            }
        }
        Ok(())
    }
}

/// Whether a value is a list; nothing of it is kept.
struct IsList(bool);

impl<'de> Deserialize<'de> for IsList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = IsList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<IsList, A::Error> {
        IgnoredAny.visit_seq(list).map(|_| IsList(true))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<IsList, A::Error> {
        IgnoredAny.visit_map(map).map(|_| IsList(false))
    }

    fn visit_unit<E>(self) -> Result<IsList, E> {
        Ok(IsList(false))
    }

    fn visit_bool<E>(self, _: bool) -> Result<IsList, E> {
        Ok(IsList(false))
    }

    fn visit_i64<E>(self, _: i64) -> Result<IsList, E> {
        Ok(IsList(false))
    }

    fn visit_u64<E>(self, _: u64) -> Result<IsList, E> {
        Ok(IsList(false))
    }

    fn visit_f64<E>(self, _: f64) -> Result<IsList, E> {
        Ok(IsList(false))
    }

    fn visit_str<E>(self, _: &str) -> Result<IsList, E> {
        Ok(IsList(false))
    }
}
