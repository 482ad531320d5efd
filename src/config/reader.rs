//! Reads settings one by one and gathers what is wrong with them.

use std::fs;

use secrecy::SecretString;

use super::Mode;
use super::setting_error::{Problem, SettingError, SettingErrors};
use super::settings::Setting;

/// Where values come from: a variable's name to its value.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Every method returns `None` for a setting that is not given or that is faulty; in the second case
/// the fault is kept.
pub struct Reader<'a> {
    environment: Environment<'a>,
    pub mode: Mode,
    faults: Vec<SettingError>,
}

impl<'a> Reader<'a> {
    pub fn new(environment: Environment<'a>, mode: Mode) -> Self {
        Self {
            environment,
            mode,
            faults: Vec::new(),
        }
    }

    pub fn complain(&mut self, setting: &Setting, problem: Problem) {
        self.faults.push(problem.of(setting));
    }

    pub fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    pub fn into_faults(self) -> SettingErrors {
        SettingErrors(self.faults)
    }

    /// Whether the setting is given, by value or by file, faulty or not.
    pub fn is_given(&self, setting: &Setting) -> bool {
        self.variable(setting.name).is_some()
            || (setting.secret && self.variable(&file_variable(setting)).is_some())
    }

    /// The value or the default, parsed.
    pub fn value<T>(
        &mut self,
        setting: &Setting,
        parse: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        let text = self.text(setting)?;
        self.keep_fault(setting, parse(&text))
    }

    /// The entries of a comma-separated value or default, parsed one by one; empty when not given.
    pub fn list<T>(
        &mut self,
        setting: &Setting,
        parse: impl Fn(&str) -> Result<T, Problem>,
    ) -> Vec<T> {
        let text = self.text(setting).unwrap_or_default();
        text.split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .filter_map(|entry| self.keep_fault(setting, parse(entry)))
            .collect()
    }

    /// The value of a secret, or its default.
    pub fn secret(&mut self, setting: &Setting) -> Option<SecretString> {
        self.text(setting).map(SecretString::from)
    }

    fn keep_fault<T>(&mut self, setting: &Setting, result: Result<T, Problem>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(problem) => {
                self.complain(setting, problem);
                None
            }
        }
    }

    fn text(&mut self, setting: &Setting) -> Option<String> {
        let given = self.variable(setting.name);
        if setting.secret
            && let Some(path) = self.variable(&file_variable(setting))
        {
            let text = match given {
                Some(_) => Err(Problem::new(
                    format!("{} is given as well.", file_variable(setting)),
                    "Keep one of the two.",
                )),
                None => read_file(setting, &path),
            };
            return self.keep_fault(setting, text);
        }
        match given {
            Some(text) if text.contains(char::REPLACEMENT_CHARACTER) => {
                let problem = Problem::new("It is not valid UTF-8.", "Write it in UTF-8.");
                self.keep_fault(setting, Err(problem))
            }
            Some(text) => Some(text),
            None => setting.default.value(self.mode).map(str::to_owned),
        }
    }

    /// An empty variable counts as none, and so does one of spaces.
    fn variable(&self, name: &str) -> Option<String> {
        let text = (self.environment)(name)?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

fn file_variable(setting: &Setting) -> String {
    format!("{}_FILE", setting.name)
}

/// The path is not repeated: people put the secret itself where its file should be named.
fn read_file(setting: &Setting, path: &str) -> Result<String, Problem> {
    let name = file_variable(setting);
    let text = fs::read_to_string(path).map_err(|error| {
        Problem::new(
            format!("The file named by {name} cannot be read: {error}."),
            format!(
                "Name a readable file in {name}, or give {} itself.",
                setting.name
            ),
        )
    })?;
    let text = text.trim();
    if text.is_empty() {
        return Err(Problem::new(
            format!("The file named by {name} is empty."),
            "Write the secret into it.",
        ));
    }
    Ok(text.to_owned())
}
