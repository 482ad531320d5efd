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
        let encoding = match declared {
            TextEncoding::Utf8 => UTF_8,
            TextEncoding::Utf16Le => UTF_16LE,
            TextEncoding::Utf16Be => UTF_16BE,
            TextEncoding::Windows1252 => WINDOWS_1252,
            TextEncoding::Auto => match by_first_bytes(&head) {
                Some(encoding) => encoding,
                None if is_utf8(raw(path)?).map_err(failed)? => UTF_8,
                None => WINDOWS_1252,
            },
        };
        Ok(Self {
            path: path.to_owned(),
            encoding,
        })
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

fn is_utf8(reader: Box<dyn Read>) -> io::Result<bool> {
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    // The start of a character that the last piece cut.
    let mut cut: Vec<u8> = Vec::new();
    loop {
        let piece = reader.fill_buf()?;
        let size = piece.len();
        if size == 0 {
            return Ok(cut.is_empty());
        }
        let mut bytes = std::mem::take(&mut cut);
        bytes.extend_from_slice(piece);
        if let Err(error) = std::str::from_utf8(&bytes) {
            if error.error_len().is_some() {
                return Ok(false);
            }
            cut = bytes.split_off(error.valid_up_to());
        }
        reader.consume(size);
    }
}
