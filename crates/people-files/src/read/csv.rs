//! CSV, as spreadsheets and databases write it.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use serde_json::Value;

use super::text::{MAX_ROW_BYTES, TextFile};
use super::{Each, Table};
use crate::error::OpenError;
use crate::mapping::{Delimiter, Format};
use crate::path::Row;

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

pub(crate) struct CsvTable {
    file: TextFile,
    delimiter: u8,
    /// Whether the first line only says what the delimiter is.
    has_sep_line: bool,
    has_header: bool,
    columns: Vec<String>,
}

impl CsvTable {
    /// # Errors
    /// The file cannot be read, or its header names a column twice.
    pub(crate) fn open(file: TextFile, format: &Format) -> Result<Self, OpenError> {
        let head = file.head()?;
        let declared = sep_line(&head);
        let delimiter = match (format.delimiter, declared) {
            (Delimiter::Is(delimiter), _) | (Delimiter::Auto, Some(delimiter)) => delimiter,
            (Delimiter::Auto, None) => sniffed(&head),
        };
        let mut table = Self {
            file,
            delimiter,
            has_sep_line: declared.is_some(),
            has_header: true,
            columns: Vec::new(),
        };
        let mut first = csv::StringRecord::new();
        table.reader()?.next(&mut first)?;
        let first: Vec<&str> = first.iter().map(str::trim).collect();
        if let Some(columns) = &format.columns {
            table.has_header = columns.iter().any(|column| first.contains(&&**column));
            table.columns.clone_from(columns);
        }
        if table.has_header {
            table.columns = first.into_iter().map(str::to_owned).collect();
        }
        let mut seen = Vec::new();
        for column in table.columns.iter().filter(|column| !column.is_empty()) {
            if seen.contains(&column) {
                let what = format!("the header names {column:?} twice. Rename one of the columns.");
                return Err(OpenError::WrongShape {
                    input: table.file.name(),
                    row: 1,
                    what,
                });
            }
            seen.push(column);
        }
        Ok(table)
    }

    fn reader(&self) -> Result<Records, OpenError> {
        let in_row = Rc::new(Cell::new(0));
        let lines = Lines {
            text: self.file.reader()?,
            in_row: Rc::clone(&in_row),
            last: b'\n',
        };
        let mut builder = csv::ReaderBuilder::new();
        builder
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter);
        let reader = builder
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(lines);
        let mut records = Records {
            reader,
            in_row,
            file: self.file.name(),
        };
        if self.has_sep_line {
            records.next(&mut csv::StringRecord::new())?;
        }
        Ok(records)
    }

    /// Cells without a column may only be empty ones at the end; without a header, columns may lack cells.
    fn row(&self, record: &csv::StringRecord) -> Result<Row, String> {
        let cells = record.len();
        let columns = self.columns.len();
        let is_short = cells < columns && self.has_header;
        if is_short
            || record
                .iter()
                .skip(columns)
                .any(|cell| !cell.trim().is_empty())
        {
            return Err(format!(
                "it has {cells} cells, and the header {columns}. Delimiter: {}. Is a cell not quoted?",
                self.shown_delimiter()
            ));
        }
        let pairs = self.columns.iter().zip(record.iter());
        let named = pairs.filter(|(column, cell)| !column.is_empty() && !cell.is_empty());
        Ok(named
            .map(|(column, cell)| (column.clone(), Value::from(cell)))
            .collect())
    }

    fn shown_delimiter(&self) -> String {
        if self.delimiter == b'\t' {
            "tab".to_owned()
        } else {
            char::from(self.delimiter).to_string()
        }
    }
}

impl Table for CsvTable {
    fn name(&self) -> String {
        self.file.name()
    }

    fn form(&self) -> String {
        format!(
            "CSV separated by `{}`, {}",
            self.shown_delimiter(),
            self.file.encoding()
        )
    }

    fn columns(&self) -> Option<&[String]> {
        Some(&self.columns)
    }

    fn read(&mut self, each: &mut Each<'_>) -> Result<(), OpenError> {
        let mut records = self.reader()?;
        let mut record = csv::StringRecord::new();
        if self.has_header {
            records.next(&mut record)?;
        }
        while let Some(row) = records.next(&mut record)? {
            match self.row(&record) {
                Ok(cells) => each(row, cells)?,
                Err(what) => {
                    return Err(OpenError::WrongShape {
                        input: self.file.name(),
                        row,
                        what,
                    });
                }
            }
        }
        Ok(())
    }
}

/// Rows that are not blank, and the lines on which they begin.
struct Records {
    reader: csv::Reader<Lines>,
    in_row: Rc<Cell<usize>>,
    file: String,
}

impl Records {
    fn next(&mut self, record: &mut csv::StringRecord) -> Result<Option<u64>, OpenError> {
        loop {
            self.in_row.set(0);
            let before = self.reader.position().line();
            let more = self
                .reader
                .read_record(record)
                .map_err(|error| self.broken(&error, before))?;
            if !more {
                return Ok(None);
            }
            if record.iter().any(|cell| !cell.trim().is_empty()) {
                // Behind the end of the row, however many blank lines came before it.
                let after = self.reader.position().line();
                let inside = record
                    .iter()
                    .map(|cell| cell.matches('\n').count())
                    .sum::<usize>();
                return Ok(Some(after.saturating_sub(1 + inside as u64)));
            }
        }
    }

    fn broken(&self, error: &csv::Error, row: u64) -> OpenError {
        let what = match error.kind() {
            csv::ErrorKind::Utf8 { .. } => {
                "it is not UTF-8. Leave `encoding` out, or name the right one.".to_owned()
            }
            csv::ErrorKind::Io(error) => error.to_string(),
            _ => error.to_string(),
        };
        OpenError::WrongShape {
            input: self.file.clone(),
            row,
            what,
        }
    }
}

/// Text in which each line ends with one line feed, the last one too. It ends a row that does not end: a quote without
/// its second one would take the whole file into memory.
struct Lines {
    text: Box<dyn BufRead>,
    in_row: Rc<Cell<usize>>,
    /// As it was read.
    last: u8,
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.in_row.get() > MAX_ROW_BYTES {
            return Err(io::Error::other(
                "it is longer than 4 MB. Is there a quote that is not closed?",
            ));
        }
        loop {
            let read = self.text.read(buffer)?;
            if read == 0 {
                let is_ended = matches!(std::mem::replace(&mut self.last, b'\n'), b'\n' | b'\r');
                return match buffer.first_mut() {
                    Some(first) if !is_ended => {
                        *first = b'\n';
                        Ok(1)
                    }
                    _ => Ok(0),
                };
            }
            let kept = self.with_line_feeds(buffer.get_mut(..read).unwrap_or_default());
            if kept > 0 {
                self.in_row.set(self.in_row.get() + kept);
                return Ok(kept);
            }
        }
    }
}

impl Lines {
    /// How many bytes are left.
    fn with_line_feeds(&mut self, bytes: &mut [u8]) -> usize {
        let cells = Cell::from_mut(bytes).as_slice_of_cells();
        let mut kept = cells.iter();
        let mut length = 0;
        for cell in cells {
            let byte = cell.get();
            let is_second_half = byte == b'\n' && self.last == b'\r';
            self.last = byte;
            if !is_second_half && let Some(place) = kept.next() {
                place.set(if byte == b'\r' { b'\n' } else { byte });
                length += 1;
            }
        }
        length
    }
}

/// `sep=;`, which Excel writes and reads.
fn sep_line(head: &str) -> Option<u8> {
    let line = head.lines().next()?.trim_matches('"');
    let (word, delimiter) = line.split_at_checked(4)?;
    match delimiter.as_bytes() {
        [delimiter] if word.eq_ignore_ascii_case("sep=") => Some(*delimiter),
        _ => None,
    }
}

/// The delimiter by which the first rows have the most columns, and the same number of them.
fn sniffed(head: &str) -> u8 {
    let score = |delimiter: u8| {
        let mut builder = csv::ReaderBuilder::new();
        let mut reader = builder
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(head.as_bytes());
        let lengths: Vec<usize> = reader
            .records()
            .take(20)
            .map_while(Result::ok)
            .map(|record| record.len())
            .collect();
        let first = lengths.first().copied().unwrap_or(0);
        let alike = lengths.iter().filter(|length| **length == first).count();
        (first > 1).then_some((alike * first, first))
    };
    let scored = DELIMITERS
        .into_iter()
        .filter_map(|delimiter| Some((score(delimiter)?, delimiter)));
    // Of equal ones the first.
    scored
        .rev()
        .max_by_key(|(score, _)| *score)
        .map_or(b',', |(_, delimiter)| delimiter)
}
