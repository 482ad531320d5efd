//! The environment and the file `.env`, as one.

use std::collections::HashMap;
use std::env;
use std::path::Path;

use super::setting_error::{Problem, SettingErrors};

/// What `.env` holds; variables of the real environment win over it.
///
/// The environment itself is never changed: that is not safe once there are threads, and SIGHUP
/// reads the file again.
#[derive(Default)]
pub struct Variables(HashMap<String, String>);

impl Variables {
    /// Reads the file; without one there is only the environment.
    ///
    /// # Errors
    /// When the file is there and cannot be understood.
    pub fn load(file: &Path) -> Result<Self, SettingErrors> {
        let read = dotenvy::from_path_iter(file).and_then(Iterator::collect);
        match read {
            Ok(variables) => Ok(Self(variables)),
            Err(error) if error.not_found() => Ok(Self::default()),
            // The error itself repeats the line, secrets and all.
            Err(dotenvy::Error::LineParse(..)) => Err(SettingErrors::of_env_file(Problem::new(
                "A line of it is no NAME=value.",
                "Put values with spaces or quotes in single quotes.",
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
    fn the_file_fills_what_the_environment_leaves_open() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(".env");
        assert_eq!(Variables::load(&file).unwrap().get("HALLPASS_TEST"), None);

        fs::write(&file, "HALLPASS_TEST='a b'\nPATH=/nowhere\n").unwrap();
        let variables = Variables::load(&file).unwrap();
        assert_eq!(variables.get("HALLPASS_TEST").as_deref(), Some("a b"));
        assert_eq!(variables.get("PATH"), env::var("PATH").ok());
    }

    #[test]
    fn a_broken_file_is_a_fault_that_does_not_repeat_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(".env");
        fs::write(&file, "JWT_SECRET='hunter2\n").unwrap();
        let fault = Variables::load(&file).err().unwrap().to_string();
        assert!(
            fault.contains(".env: ") && !fault.contains("hunter2"),
            "{fault}"
        );
    }
}
