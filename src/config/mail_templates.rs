//! An operator's own templates of letters, read and tried before anything is sent.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::reader::Reader;
use super::setting_error::Problem;
use super::settings::MAIL_TEMPLATES;
use crate::email_templates::Templates;

const MEND: &str =
    "Mend it, or remove it to use the one that is built in; docs/mail.md lists what each may use.";

/// `None` after a fault.
pub fn read(reader: &mut Reader<'_>) -> Option<Templates> {
    let (own, complaints) = match reader.value(&MAIL_TEMPLATES, |text| Ok(text.to_owned())) {
        None => Default::default(),
        Some(folder) => own_templates(Path::new(&folder)),
    };
    let mut is_faulty = false;
    for problem in complaints {
        reader.complain(&MAIL_TEMPLATES, problem);
        is_faulty = true;
    }
    match Templates::with_own(own) {
        Ok(templates) => (!is_faulty).then_some(templates),
        Err(faults) => {
            for fault in faults {
                reader.complain(&MAIL_TEMPLATES, Problem::new(format!("{fault}."), MEND));
            }
            None
        }
    }
}

/// What the folder holds under names that letters have. Another template in it would never be used, and is most
/// likely a mistake; what is no template is none of our business.
fn own_templates(folder: &Path) -> (BTreeMap<&'static str, String>, Vec<Problem>) {
    let mut own = BTreeMap::new();
    let mut complaints = Vec::new();
    let mut files =
        match fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>) {
            Ok(files) => files,
            Err(error) => {
                let why = format!("{} cannot be read: {error}.", folder.display());
                let hint = "Name a folder with templates.";
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
            complaints.push(Problem::new(
                format!("{shown} is the template of no letter."),
                format!("Known are {}.", known.join(", ")),
            ));
            continue;
        };
        match fs::read_to_string(&path) {
            Ok(text) => {
                own.insert(name, text);
            }
            Err(error) => {
                complaints.push(Problem::new(
                    format!("{shown} cannot be read: {error}."),
                    MEND,
                ));
            }
        }
    }
    (own, complaints)
}
