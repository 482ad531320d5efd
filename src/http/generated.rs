//! Files that are generated from the code and kept in the repository.

use std::path::Path;

/// Compares a file of the repository with the generated content; writes it if `UPDATE_GENERATED` is set.
pub(crate) fn assert_up_to_date(file: &str, content: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == content,
        "{file} is out of date; run UPDATE_GENERATED=1 cargo test"
    );
}
