//! Compresses the API's documents, which the program contains.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

fn main() -> io::Result<()> {
    let out = std::env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    for name in ["openapi.json", "reference.html"] {
        let source = Path::new("docs").join(name);
        println!("cargo::rerun-if-changed={}", source.display());
        let file = File::create(Path::new(&out).join(format!("{name}.gz")))?;
        let mut gzip = GzEncoder::new(file, Compression::best());
        gzip.write_all(&fs::read(source)?)?;
        gzip.finish()?;
    }
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}
