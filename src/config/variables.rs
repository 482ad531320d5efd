//! The environment variables, including those from the file `.env`.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::{self, Read};
use std::path::Path;
use std::{env, fs, iter, mem};

use super::reader::file_variable;
use super::setting_error::{Problem, SettingErrors};
use super::settings::SECTIONS;
use super::{ENV_FILE, Environment};

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
        let text = match fs::read(file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                return Err(SettingErrors::of_env_file(Problem::new(
                    format!("It cannot be read: {error}."),
                    "Make it readable, or remove it.",
                )));
            }
        };
        // Windows puts a byte-order mark before the first line.
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
        let lines = Lines {
            rest: text,
            read: &Cell::new(0),
        };
        let read = lines.read;
        dotenvy::from_read_iter(lines)
            .collect::<Result<_, _>>()
            .map(Self)
            .map_err(|error| match error {
                // The error itself repeats the line, including secrets. A quoted value may span several lines.
                dotenvy::Error::LineParse(line, at) => {
                    let first = read.get() + 1 - line.lines().count().clamp(1, read.get());
                    let opens_quote = line.contains(['\'', '"']);
                    // The parser has then read all there is, in search of the other quote.
                    if opens_quote && at == line.len() && !line.is_empty() {
                        Problem::new(
                            format!("The value in line {first} opens a quote that is not closed."),
                            "Close it, or enclose a value that contains a quote in the other kind of quotes.",
                        )
                    } else {
                        Problem::new(
                            format!("Line {first} is not NAME=value."),
                            "Enclose values with spaces or quotes in single quotes.",
                        )
                    }
                }
                _ => Problem::new(
                    format!("Line {} is not valid UTF-8.", read.get()),
                    "Encode it in UTF-8.",
                ),
            })
            .map_err(SettingErrors::of_env_file)
    }

    /// Warns of names in the file that look like a misspelt setting. Others may be for other programs.
    pub fn warn_of_misspelt_names(&self) {
        for (name, setting) in self.misspelt() {
            tracing::warn!("{ENV_FILE}: {name} is not a setting; did you mean {setting}?");
        }
    }

    /// Each name of the file that is no setting, with the setting that it is nearest to.
    fn misspelt(&self) -> Vec<(&str, String)> {
        let known: Vec<String> = SECTIONS
            .iter()
            .flat_map(|(_, settings)| *settings)
            .flat_map(|setting| {
                let file = setting.secret.then(|| file_variable(setting));
                iter::once(setting.name.to_owned()).chain(file)
            })
            .collect();
        let mut found: Vec<_> = self
            .0
            .keys()
            .filter(|name| !known.contains(name))
            .filter_map(|name| {
                let nearest = known
                    .iter()
                    .map(|setting| (distance(name, setting), setting))
                    .min()?;
                // Two letters are half of a short name.
                let allowed = 2.min(name.len() / 4);
                (nearest.0 <= allowed).then(|| (name.as_str(), nearest.1.clone()))
            })
            .collect();
        found.sort();
        found
    }
}

impl Environment for Variables {
    fn get(&self, name: &str) -> Option<String> {
        match env::var_os(name) {
            Some(value) => Some(value.to_string_lossy().into_owned()),
            None => self.0.get(name).cloned(),
        }
    }

    fn names(&self) -> Vec<String> {
        let of_process = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        of_process.chain(self.0.keys().cloned()).collect()
    }
}

/// How many letters must be added, left out or replaced to make one name the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (1..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let (mut diagonal, mut left) = (i, i + 1);
        for (b, above) in other.bytes().zip(&mut row) {
            let replaced = diagonal + usize::from(a != b);
            left = replaced.min(*above + 1).min(left + 1);
            diagonal = mem::replace(above, left);
        }
    }
    row.last().copied().unwrap_or(one.len())
}

/// Gives out one line at a time, and counts them, because the parser does not say where it stopped.
struct Lines<'a> {
    rest: &'a [u8],
    read: &'a Cell<usize>,
}

impl Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let line = self.rest.split_inclusive(|b| *b == b'\n').next();
        let count = line.unwrap_or_default().read(buffer)?;
        let (given, rest) = self.rest.split_at(count);
        // A line that is longer than the buffer counts once.
        let ends = given.ends_with(b"\n") || (rest.is_empty() && !given.is_empty());
        self.read.set(self.read.get() + usize::from(ends));
        self.rest = rest;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
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

    fn loaded(text: impl AsRef<[u8]>) -> Result<Variables, String> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(".env");
        fs::write(&file, text).unwrap();
        Variables::load(&file).map_err(|error| error.to_string())
    }

    #[test]
    fn a_broken_line_is_named_by_its_number_and_not_repeated() {
        let long = "A=".to_owned() + &"a".repeat(20_000);
        for (text, number) in [
            ("hunter2", 1),
            ("A=b\n\n# c\nhunter2 x\nA=b\n", 4),
            ("A=b\nA = hunter2 x\nC=d", 2),
            ("A=b\r\nhunter2\r\n", 2),
            ("A='b\nc'\nhunter2\n", 3),
            ("A='b\nc'\nB='c' hunter2\nx\ny", 3),
            ("A='b' hunter2\nC=d", 1),
            ("hunter2'\n'", 1),
            ("\u{feff}A=b\nhunter2 # c\n", 2),
            (&format!("{long}\nhunter2\n"), 2),
        ] {
            let error = loaded(text).err().unwrap();
            let expected = format!("  .env: Line {number} is not NAME=value. ");
            assert!(error.contains(&expected), "{text:?}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        let error = loaded(b"A=b\nB=\xff\n").err().unwrap();
        assert!(error.contains("Line 2 is not valid UTF-8"), "{error}");
    }

    #[test]
    fn an_unclosed_quote_is_named_by_the_line_that_opens_it() {
        for (text, number) in [
            ("JWT_SECRET='hunter2", 1),
            ("JWT_SECRET='hunter2\n", 1),
            ("A=b\nJWT_SECRET=\"hunter2\nC=d\n", 2),
            ("A=b\nNAME=it's hunter2\n", 2),
            ("A='b\nc'\nB='hunter2\nx\ny", 3),
        ] {
            let error = loaded(text).err().unwrap();
            let expected =
                format!("  .env: The value in line {number} opens a quote that is not closed. ");
            assert!(error.contains(&expected), "{text:?}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_name_near_a_setting_is_taken_for_a_misspelt_one() {
        let variables = loaded(
            "REGISTRATIONS=closed\nJWT_SECRT_FILE=a\nHOSTS=a\nPATH=a\nPORTS=a\nRUST_LOG=a\nNODE_ENV=a\n\
             REGISTRATION=open\nJWT_SECRET_FILE=a\n",
        );
        let variables = variables.unwrap_or_default();
        let found = variables.misspelt();
        let found: Vec<_> = found
            .iter()
            .map(|(name, near)| (*name, near.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("HOSTS", "HOST"),
                ("JWT_SECRT_FILE", "JWT_SECRET_FILE"),
                ("PORTS", "PORT"),
                ("REGISTRATIONS", "REGISTRATION"),
            ]
        );
    }

    #[test]
    fn the_distance_counts_added_missing_and_other_letters() {
        for (one, other, expected) in [
            ("PORT", "PORT", 0),
            ("", "PORT", 4),
            ("PORTS", "PORT", 1),
            ("PRT", "PORT", 1),
            ("HOST", "PORT", 2),
            ("PROT", "PORT", 2),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn a_byte_order_mark_at_the_start_is_no_part_of_the_first_name() {
        let variables = loaded("\u{feff}HALLPASS_TEST=a\r\n").unwrap();
        assert_eq!(variables.get("HALLPASS_TEST").as_deref(), Some("a"));
    }
}
