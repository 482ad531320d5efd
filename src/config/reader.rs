//! Reads settings one by one and collects the errors.

use std::fs;

use secrecy::SecretString;

use super::Mode;
use super::setting_error::{Problem, SettingError, SettingErrors};
use super::settings::Setting;

/// The environment variables.
pub trait Environment {
    fn get(&self, name: &str) -> Option<String>;

    /// Of all variables, for settings of which there may be many.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

impl<F: Fn(&str) -> Option<String>> Environment for F {
    fn get(&self, name: &str) -> Option<String> {
        self(name)
    }
}

/// Its methods return `None` if a setting is not set or not valid. In the second case they record the error.
pub(super) struct Reader<'a> {
    environment: &'a dyn Environment,
    pub mode: Mode,
    /// Why a secret may not be generated: what the database needs.
    pub needed_secret: Option<String>,
    errors: Vec<SettingError>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(environment: &'a dyn Environment, mode: Mode) -> Self {
        Self {
            environment,
            mode,
            needed_secret: None,
            errors: Vec::new(),
        }
    }

    pub(super) fn report(&mut self, setting: &Setting, problem: Problem) {
        self.errors.push(problem.of(setting));
    }

    pub(super) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    pub(super) fn into_errors(self) -> SettingErrors {
        SettingErrors(self.errors)
    }

    /// Whether the setting is set, by value or by file, valid or not.
    pub(super) fn is_given(&self, setting: &Setting) -> bool {
        self.variable(setting.name).is_some()
            || (setting.secret && self.variable(&file_variable(setting)).is_some())
    }

    /// The parsed value or default.
    pub(super) fn value<T>(
        &mut self,
        setting: &Setting,
        parse: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        let text = self.text(setting)?;
        self.record(setting, parse(&text))
    }

    /// The parsed entries of a comma-separated value or default; empty if not set.
    pub(super) fn list<T>(
        &mut self,
        setting: &Setting,
        parse: impl Fn(&str) -> Result<T, Problem>,
    ) -> Vec<T> {
        let text = self.text(setting).unwrap_or_default();
        text.split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .filter_map(|entry| self.record(setting, parse(entry)))
            .collect()
    }

    /// The value of a secret, or its default.
    pub(super) fn secret(&mut self, setting: &Setting) -> Option<SecretString> {
        self.text(setting).map(SecretString::from)
    }

    /// The values of all secrets whose variable is the setting's with another name for `NAME`, and that name.
    pub(super) fn secrets(&mut self, setting: &Setting) -> Vec<(String, SecretString)> {
        let prefix = setting.name.trim_end_matches("NAME");
        let mut names = vec!["NAME".to_owned()];
        names.extend(self.environment.names().iter().filter_map(|variable| {
            let name = variable.strip_prefix(prefix)?;
            Some(name.strip_suffix("_FILE").unwrap_or(name).to_owned())
        }));
        names.sort();
        names.dedup();
        let secrets = names.into_iter().filter_map(|name| {
            let text = self.text_of(setting, &format!("{prefix}{name}"))?;
            Some((name, SecretString::from(text)))
        });
        secrets.collect()
    }

    fn record<T>(&mut self, setting: &Setting, result: Result<T, Problem>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(problem) => {
                self.report(setting, problem);
                None
            }
        }
    }

    fn text(&mut self, setting: &Setting) -> Option<String> {
        self.text_of(setting, setting.name)
    }

    fn text_of(&mut self, setting: &Setting, name: &str) -> Option<String> {
        let given = self.variable(name);
        let by_file = format!("{name}_FILE");
        if setting.secret
            && let Some(path) = self.variable(&by_file)
        {
            let text = match given {
                Some(_) => Err(Problem::new(
                    format!("{by_file} is also set."),
                    "Remove one of the two.",
                )),
                None => read_file(name, &path),
            };
            return self.record(setting, text);
        }
        match given {
            Some(text) if text.contains(char::REPLACEMENT_CHARACTER) => {
                let problem = Problem::new("It is not valid UTF-8.", "Encode it in UTF-8.");
                self.record(setting, Err(problem))
            }
            Some(text) => Some(text),
            None => setting.default.value(self.mode).map(str::to_owned),
        }
    }

    /// A variable that is empty or only contains spaces counts as not set.
    fn variable(&self, name: &str) -> Option<String> {
        let text = self.environment.get(name)?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

pub(super) fn file_variable(setting: &Setting) -> String {
    format!("{}_FILE", setting.name)
}

/// Does not repeat the path, because users sometimes put the secret itself into the `_FILE` variable.
fn read_file(setting: &str, path: &str) -> Result<String, Problem> {
    let name = format!("{setting}_FILE");
    let text = fs::read_to_string(path).map_err(|error| {
        Problem::new(
            format!("The file named by {name} cannot be read: {error}."),
            format!("Set {name} to a readable file, or set {setting} itself."),
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
