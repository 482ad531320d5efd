//! `docs/SECURITY.md` cites tests for each promise, and every cited test exists.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_promise_on_the_security_page_cites_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/SECURITY.md")).unwrap();
    let promises: Vec<&str> = page.split("\n- ").skip(1).collect();
    assert!(promises.len() > 100, "the promises are missing");
    let mut sources = Vec::new();
    collect(&root.join("tests"), &mut sources);
    collect(&root.join("src"), &mut sources);
    for promise in promises {
        let mut tests = promise
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|code| code.contains("::"))
            .peekable();
        assert!(tests.peek().is_some(), "no test checks: {promise}");
        for test in tests {
            let (module, name) = test.rsplit_once("::").unwrap();
            let file = format!("/{}", module.replace("::", "/"));
            let declared = format!("fn {name}(");
            assert!(
                sources.iter().any(|(path, code)| {
                    let path = path.with_extension("");
                    let path = path.to_str().unwrap();
                    path.trim_end_matches("/mod").ends_with(&file) && code.contains(&declared)
                }),
                "there is no test {test}"
            );
        }
    }
}

fn collect(directory: &Path, sources: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let code = fs::read_to_string(&path).unwrap();
            sources.push((path, code));
        }
    }
}
