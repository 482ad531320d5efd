//! The operator's e-mail templates, validated at startup.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::reader::Reader;
use super::setting_error::Problem;
use super::settings::MAIL_TEMPLATES;
use crate::email_templates::Templates;

const HINT: &str = "Fix the file, or remove it to use the built-in template. docs/mail.md lists the variables of \
                    each template.";

/// `None` after an error.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Templates> {
    let (own, problems) = match reader.value(&MAIL_TEMPLATES, |text| Ok(text.to_owned())) {
        None => Default::default(),
        Some(folder) => own_templates(Path::new(&folder)),
    };
    let is_valid = problems.is_empty();
    for problem in problems {
        reader.report(&MAIL_TEMPLATES, problem);
    }
    match Templates::with_own(own) {
        Ok(templates) => is_valid.then_some(templates),
        Err(errors) => {
            for error in errors {
                reader.report(&MAIL_TEMPLATES, Problem::new(format!("{error}."), HINT));
            }
            None
        }
    }
}

/// Reads the templates in the folder. A template with an unknown name would never be used and is probably a mistake;
/// other files are ignored.
fn own_templates(folder: &Path) -> (BTreeMap<&'static str, String>, Vec<Problem>) {
    let mut own = BTreeMap::new();
    let mut problems = Vec::new();
    let mut files =
        match fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>) {
            Ok(files) => files,
            Err(error) => {
                let why = format!("{} cannot be read: {error}.", folder.display());
                let hint = "Set it to a folder with templates.";
                return (own, vec![Problem::new(why, hint)]);
            }
        };
    files.sort_by_key(fs::DirEntry::file_name);
    for file in files {
        let path = file.path();
        let is_template = path
            .extension()
            .is_some_and(|extension| extension == "txt" || extension == "html");
        if !is_template {
            continue;
        }
        let shown = path.display();
        let name = file.file_name();
        let Some(name) = Templates::names().find(|known| name.to_str() == Some(known)) else {
            let known: Vec<&str> = Templates::names().collect();
            problems.push(Problem::new(
                format!("{shown} is not the name of a template."),
                format!("The templates are {}.", known.join(", ")),
            ));
            continue;
        };
        match fs::read_to_string(&path) {
            Ok(text) => {
                own.insert(name, text);
            }
            Err(error) => {
                problems.push(Problem::new(
                    format!("{shown} cannot be read: {error}."),
                    HINT,
                ));
            }
        }
    }
    (own, problems)
}
