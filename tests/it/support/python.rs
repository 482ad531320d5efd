//! Independent implementations in Python, to compare ours with.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The Python that the variable names, which has the package; `.ci/run` creates one.
pub fn python(variable: &str, package: &str) -> Option<String> {
    let python = std::env::var(variable).ok();
    if python.is_none() {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "{variable} is not a Python with {package}"
        );
        eprintln!("SKIPPED: {variable} is not a Python with {package}");
    }
    python
}

/// What a program prints, as JSON, when it is given this on its standard input.
pub fn run(python: &str, program: &str, given: &Value) -> Value {
    let mut child = Command::new(python)
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(given.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}
