//! The TypeScript client knows exactly the server's error codes.

use std::fmt::Write as _;
use std::path::Path;

use hallpass::http::error_code::ErrorCode;

#[test]
fn the_typescript_client_has_the_servers_list_of_error_codes() {
    let mut expected = String::from(
        "/** Generated from `src/http/error_code.rs`; `UPDATE_GENERATED=1 cargo test` regenerates it. */\n\n\
         /** The values of `X-Error-Code`; docs/ERRORS.md says what each means and what to do about it. */\n\
         export type ErrorCode =",
    );
    for code in ErrorCode::ALL {
        write!(expected, "\n  | \"{}\"", code.as_str()).unwrap();
    }
    expected.push_str(";\n");

    let file = "clients/typescript/src/error_codes.ts";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{file} is out of date; run UPDATE_GENERATED=1 cargo test"
    );
}
