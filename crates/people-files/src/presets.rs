//! Mappings for systems that many people move from.

use crate::mapping::{Mapping, MappingError};
use crate::nearest::nearest;

/// A mapping that comes with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    pub name: &'static str,
    /// The mapping file, as `presets show` prints it.
    pub toml: &'static str,
}

macro_rules! presets {
    ($($name:literal),*) => {
        &[$(Preset { name: $name, toml: include_str!(concat!("../presets/", $name, ".toml")) }),*]
    };
}

/// All of them, by name.
pub const ALL: &[Preset] = presets![
    "auth0",
    "authjs",
    "better-auth",
    "clerk",
    "cognito",
    "devise",
    "django",
    "firebase",
    "hallpass",
    "keycloak",
    "kratos",
    "laravel",
    "nextauth",
    "scim",
    "supabase",
    "wordpress"
];

/// There is no such preset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no preset {name:?}. {known}")]
pub struct UnknownPreset {
    name: String,
    /// The presets there are, and which may be meant.
    known: String,
}

impl Preset {
    /// # Errors
    /// None for the presets in [`ALL`], which tests read.
    pub fn mapping(&self) -> Result<Mapping, MappingError> {
        Mapping::parse(self.toml)
    }
}

/// # Errors
/// Names the presets there are.
pub fn find(name: &str) -> Result<&'static Preset, UnknownPreset> {
    ALL.iter()
        .find(|preset| preset.name == name)
        .ok_or_else(|| {
            let names: Vec<&str> = ALL.iter().map(|preset| preset.name).collect();
            let meant = nearest(name, names.iter().copied())
                .map(|meant| format!(" Did you mean {meant:?}?"));
            let known = format!(
                "There are: {}.{}",
                names.join(", "),
                meant.unwrap_or_default()
            );
            UnknownPreset {
                name: name.to_owned(),
                known,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_a_mapping_with_a_sentence_about_itself() {
        for preset in ALL {
            let mapping = preset
                .mapping()
                .unwrap_or_else(|error| panic!("{}: {error}", preset.name));
            assert_eq!(mapping.source, preset.name);
            assert!(
                mapping.about.is_some_and(|about| !about.is_empty()),
                "{}",
                preset.name
            );
        }
    }

    #[test]
    fn every_file_of_a_preset_is_in_the_list() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/presets")).unwrap();
        let mut files: Vec<String> = folder
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let listed: Vec<String> = ALL
            .iter()
            .map(|preset| format!("{}.toml", preset.name))
            .collect();
        assert_eq!(files, listed);
    }

    #[test]
    fn a_preset_that_does_not_exist_names_those_that_do() {
        let error = find("next-auth").unwrap_err().to_string();
        assert!(
            error.contains("keycloak") && error.ends_with("Did you mean \"nextauth\"?"),
            "{error}"
        );
    }
}
