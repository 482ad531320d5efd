//! `docs/SECURITY.md` cites a test for each promise, and every cited test exists.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_test_cited_on_the_security_page_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/SECURITY.md")).unwrap();
    let named: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with('|'))
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .filter(|code| code.contains("::"))
        .collect();
    assert!(named.len() > 20, "the table is missing");
    let mut sources = Vec::new();
    collect(&root.join("tests"), &mut sources);
    collect(&root.join("src"), &mut sources);
    for test in named {
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
