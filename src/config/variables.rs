//! The environment variables, including those from the file `.env`.

use std::collections::HashMap;
use std::env;
use std::path::Path;

use super::setting_error::{Problem, SettingErrors};

/// The variables from `.env`; those of the environment take precedence.
///
/// The environment itself is not changed: that is not safe with threads, and SIGHUP reads the file again.
#[derive(Default)]
pub struct Variables(HashMap<String, String>);

impl Variables {
    /// Reads the file, if it exists.
    ///
    /// # Errors
    /// When the file exists but cannot be read or parsed.
    pub fn load(file: &Path) -> Result<Self, SettingErrors> {
        let read = dotenvy::from_path_iter(file).and_then(Iterator::collect);
        match read {
            Ok(variables) => Ok(Self(variables)),
            Err(error) if error.not_found() => Ok(Self::default()),
            // The error itself repeats the line, including secrets.
            Err(dotenvy::Error::LineParse(..)) => Err(SettingErrors::of_env_file(Problem::new(
                "It contains a line that is not NAME=value.",
                "Enclose values with spaces or quotes in single quotes.",
            ))),
            Err(error) => Err(SettingErrors::of_env_file(Problem::new(
                format!("It cannot be read: {error}."),
                "Make it readable, or remove it.",
            ))),
        }
    }

    pub fn get(&self, name: &str) -> Option<String> {
        match env::var_os(name) {
            Some(value) => Some(value.to_string_lossy().into_owned()),
            None => self.0.get(name).cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_file_adds_to_the_environment() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(".env");
        assert_eq!(Variables::load(&file).unwrap().get("HALLPASS_TEST"), None);

        fs::write(&file, "HALLPASS_TEST='a b'\nPATH=/nowhere\n").unwrap();
        let variables = Variables::load(&file).unwrap();
        assert_eq!(variables.get("HALLPASS_TEST").as_deref(), Some("a b"));
        assert_eq!(variables.get("PATH"), env::var("PATH").ok());
    }

    #[test]
    fn a_broken_file_is_an_error_that_does_not_repeat_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(".env");
        fs::write(&file, "JWT_SECRET='hunter2\n").unwrap();
        let error = Variables::load(&file).err().unwrap().to_string();
        assert!(
            error.contains(".env: ") && !error.contains("hunter2"),
            "{error}"
        );
    }
}
