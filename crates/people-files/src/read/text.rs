//! Text files, in whatever encoding, as UTF-8.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use encoding_rs_io::DecodeReaderBytesBuilder;
use flate2::read::MultiGzDecoder;

use crate::error::OpenError;
use crate::mapping::TextEncoding;

/// A row longer than this has a quote that is not closed, or is something else.
pub(super) const MAX_ROW_BYTES: usize = 4 << 20;

/// How much of a file is looked at to find out what it is.
const HEAD: u64 = 64 << 10;

#[derive(Debug, Clone)]
pub(crate) struct TextFile {
    path: PathBuf,
    encoding: &'static Encoding,
    /// The first line that shows it, if that was found out by reading.
    not_utf8: Option<u64>,
}

impl TextFile {
    /// # Errors
    /// The file cannot be read, or holds something other than text.
    pub(crate) fn open(path: &Path, declared: TextEncoding) -> Result<Self, OpenError> {
        let mut head = Vec::new();
        let failed = |error| failed(path, error);
        raw(path)?
            .take(HEAD)
            .read_to_end(&mut head)
            .map_err(failed)?;
        if head.starts_with(b"PK\x03\x04") {
            return Err(OpenError::NotThis {
                input: path.display().to_string(),
                what: "this is a ZIP archive or an Excel workbook. Save it as \"CSV UTF-8\"."
                    .to_owned(),
            });
        }
        let (encoding, not_utf8) = match declared {
            TextEncoding::Utf8 => (UTF_8, None),
            TextEncoding::Utf16Le => (UTF_16LE, None),
            TextEncoding::Utf16Be => (UTF_16BE, None),
            TextEncoding::Windows1252 => (WINDOWS_1252, None),
            TextEncoding::Auto => match by_first_bytes(&head) {
                Some(encoding) => (encoding, None),
                None => by_all_bytes(path)?,
            },
        };
        Ok(Self {
            path: path.to_owned(),
            encoding,
            not_utf8,
        })
    }

    /// # Errors
    /// The file was taken for something else, and is JSON, which nothing else writes.
    pub(crate) fn must_be_utf8(&self) -> Result<(), OpenError> {
        match self.not_utf8 {
            None => Ok(()),
            Some(row) => Err(OpenError::WrongShape {
                input: self.name(),
                row,
                what: "JSON is UTF-8, and this line is not. Set `encoding` in `format` of the mapping.".to_owned(),
            }),
        }
    }

    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    pub(crate) fn encoding(&self) -> String {
        self.encoding.name().to_ascii_lowercase()
    }

    /// UTF-8 without a byte order mark, from the start.
    pub(crate) fn reader(&self) -> Result<Box<dyn BufRead>, OpenError> {
        let raw = raw(&self.path)?;
        if self.encoding == UTF_8 {
            let mut reader = BufReader::new(raw);
            let start = reader.fill_buf().map_err(|error| self.failed(error))?;
            if start.starts_with(b"\xef\xbb\xbf") {
                reader.consume(3);
            }
            return Ok(Box::new(reader));
        }
        let mut decoding = DecodeReaderBytesBuilder::new();
        let decoded = decoding
            .encoding(Some(self.encoding))
            .bom_override(true)
            .build(raw);
        Ok(Box::new(BufReader::new(decoded)))
    }

    /// The first 64 KiB as text.
    pub(crate) fn head(&self) -> Result<String, OpenError> {
        let mut head = Vec::new();
        let read = self.reader()?.take(HEAD).read_to_end(&mut head);
        read.map_err(|error| self.failed(error))?;
        Ok(String::from_utf8_lossy(&head).into_owned())
    }

    pub(crate) fn failed(&self, error: io::Error) -> OpenError {
        failed(&self.path, error)
    }
}

fn failed(path: &Path, error: io::Error) -> OpenError {
    OpenError::File {
        file: path.to_owned(),
        error,
    }
}

/// The bytes of the file, decompressed.
fn raw(path: &Path) -> Result<Box<dyn Read>, OpenError> {
    let failed = |error| failed(path, error);
    let mut reader = BufReader::new(File::open(path).map_err(failed)?);
    let is_gzip = reader
        .fill_buf()
        .map_err(failed)?
        .starts_with(&[0x1f, 0x8b]);
    Ok(if is_gzip {
        Box::new(MultiGzDecoder::new(reader))
    } else {
        Box::new(reader)
    })
}

/// By a byte order mark, or by the zeros that every second byte of ASCII is in UTF-16.
fn by_first_bytes(head: &[u8]) -> Option<&'static Encoding> {
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return Some(encoding);
    }
    let pairs = head.chunks_exact(2).take(256);
    let (mut first, mut second, mut all) = (0, 0, 0);
    for pair in pairs {
        all += 1;
        match pair {
            [0, 0] => {}
            [0, _] => first += 1,
            [_, 0] => second += 1,
            _ => {}
        }
    }
    match (first * 2 > all, second * 2 > all) {
        (true, _) => Some(UTF_16BE),
        (_, true) => Some(UTF_16LE),
        _ => None,
    }
}

/// UTF-8, or else Windows-1252 with the first line that is no UTF-8.
///
/// # Errors
/// Most of what is not ASCII is UTF-8, and some is not.
fn by_all_bytes(path: &Path) -> Result<(&'static Encoding, Option<u64>), OpenError> {
    let utf8 = Utf8::of(BufReader::with_capacity(1 << 16, raw(path)?))
        .map_err(|error| failed(path, error))?;
    if utf8.broken == 0 {
        Ok((UTF_8, None))
    } else if utf8.characters <= utf8.broken {
        Ok((WINDOWS_1252, Some(utf8.line)))
    } else {
        Err(OpenError::WrongShape {
            input: path.display().to_string(),
            row: utf8.line,
            what: "this line is not UTF-8, and others are. Correct it, or set `encoding` in `format` of the mapping."
                .to_owned(),
        })
    }
}

/// What a file is, read as UTF-8.
#[derive(Default)]
struct Utf8 {
    /// Characters of more than one byte.
    characters: u64,
    /// Bytes that are part of none.
    broken: u64,
    /// The line of the first of them.
    line: u64,
}

impl Utf8 {
    fn of(mut reader: impl BufRead) -> io::Result<Self> {
        let mut found = Self {
            line: 1,
            ..Self::default()
        };
        // The start of a character that the last piece cut.
        let mut cut: Vec<u8> = Vec::new();
        loop {
            let piece = reader.fill_buf()?;
            let size = piece.len();
            if size == 0 {
                found.see(&cut, true);
                return Ok(found);
            }
            let mut bytes = std::mem::take(&mut cut);
            bytes.extend_from_slice(piece);
            let seen = found.see(&bytes, false);
            cut = bytes.split_off(seen.min(bytes.len()));
            reader.consume(size);
        }
    }

    /// How many bytes are done; the others are the start of a character, unless this is the end.
    fn see(&mut self, bytes: &[u8], is_end: bool) -> usize {
        let mut rest = bytes;
        loop {
            let (valid, broken) = match std::str::from_utf8(rest) {
                Ok(_) => (rest.len(), 0),
                Err(error) => {
                    let cut = if is_end {
                        rest.len() - error.valid_up_to()
                    } else {
                        0
                    };
                    (error.valid_up_to(), error.error_len().unwrap_or(cut))
                }
            };
            let Some((text, after)) = rest.split_at_checked(valid) else {
                return bytes.len();
            };
            self.characters += text.iter().filter(|byte| **byte >= 0xc0).count() as u64;
            if self.broken == 0 {
                self.line += text.iter().filter(|byte| **byte == b'\n').count() as u64;
            }
            self.broken += broken as u64;
            rest = after.get(broken..).unwrap_or_default();
            if broken == 0 || rest.is_empty() {
                return bytes.len() - rest.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_file_is_utf8_wherever_its_pieces_are_cut(text: String, more: Vec<u8>, capacity in 1_usize..9) {
            let bytes = [text.as_bytes(), &more].concat();
            let found = Utf8::of(BufReader::with_capacity(capacity, &*bytes)).unwrap();
            match std::str::from_utf8(&more) {
                Ok(more) => {
                    prop_assert_eq!(found.broken, 0);
                    let characters = text.chars().chain(more.chars()).filter(|c| !c.is_ascii()).count();
                    prop_assert_eq!(found.characters, characters as u64);
                }
                Err(error) => {
                    prop_assert!(found.broken > 0);
                    let before = text.matches('\n').count() + more[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count();
                    prop_assert_eq!(found.line, 1 + before as u64);
                }
            }
        }
    }
}
