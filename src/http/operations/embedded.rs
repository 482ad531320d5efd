//! The API's documents, which are generated, checked in, and compressed in the program.

use std::io::{self, BufRead as _, BufReader, Read as _};

use actix_web::web::Bytes;
use flate2::read::GzDecoder;
use futures_util::{Stream, stream};

/// What stands for `PUBLIC_URL` in the reference page.
pub(super) const PUBLIC_URL: &str = "@PUBLIC_URL@";

/// How much of a document is decompressed at a time.
const CHUNK_BYTES: usize = 16 * 1024;

/// `docs/openapi.json` with gzip (RFC 1952).
pub(super) const OPENAPI: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json.gz"));

/// `docs/reference.html` with gzip.
pub(super) const REFERENCE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/reference.html.gz"));

/// The OpenAPI 3.1 document of a server at the root of its host.
pub fn openapi_json() -> String {
    let mut json = String::new();
    // It is ours, and a test reads it.
    let _ = GzDecoder::new(OPENAPI).read_to_string(&mut json);
    json
}

/// The document with `from` replaced by `to`. It is decompressed piece by piece as the client takes it, so that a
/// request costs some 100 KB of memory, and none after it.
pub(super) fn replacing(
    document: &'static [u8],
    from: &'static str,
    to: String,
) -> impl Stream<Item = io::Result<Bytes>> {
    let lines = BufReader::new(GzDecoder::new(document));
    stream::iter(Replaced { lines, from, to })
}

struct Replaced {
    lines: BufReader<GzDecoder<&'static [u8]>>,
    from: &'static str,
    to: String,
}

impl Iterator for Replaced {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut chunk = String::with_capacity(CHUNK_BYTES);
        let mut line = String::new();
        while chunk.len() < CHUNK_BYTES {
            line.clear();
            match self.lines.read_line(&mut line) {
                Ok(0) => break,
                Ok(_) if line.contains(self.from) => chunk += &line.replace(self.from, &self.to),
                Ok(_) => chunk += &line,
                Err(error) => return Some(Err(error)),
            }
        }
        (!chunk.is_empty()).then(|| Ok(chunk.into()))
    }
}
