//! Names, made such that ours can hold them.

use crate::candidate::{Note, NoteCode};

/// Two names of 100 characters and a space.
const MAX_CHARS: usize = 201;

/// The name and what was changed about it; `None` if nothing is left.
pub(crate) fn name_of(text: &str) -> (Option<String>, Vec<Note>) {
    let mut notes = Vec::new();
    let mut note = |code, text: &str| {
        notes.push(Note {
            code,
            text: text.to_owned(),
        });
    };
    let mut name = text.trim().to_owned();
    if name.contains(char::is_control) {
        let spaced = name.replace(char::is_control, " ");
        name = spaced
            .split(' ')
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        note(
            NoteCode::NameControlCharacters,
            "Control characters in the name became spaces.",
        );
    }
    if name.chars().count() > MAX_CHARS {
        name = name
            .chars()
            .take(MAX_CHARS)
            .collect::<String>()
            .trim_end()
            .to_owned();
        note(NoteCode::NameCut, "The name was cut at 201 characters.");
    }
    (Some(name).filter(|name| !name.is_empty()), notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<String>, Vec<NoteCode>) {
        let (name, notes) = name_of(text);
        (name, notes.into_iter().map(|note| note.code).collect())
    }

    #[test]
    fn control_characters_become_spaces_and_that_is_noted() {
        let noted = vec![NoteCode::NameControlCharacters];
        assert_eq!(
            read("Ada\r\nLovelace"),
            (Some("Ada Lovelace".to_owned()), noted.clone())
        );
        assert_eq!(read("A\0b"), (Some("A b".to_owned()), noted));
        assert_eq!(
            read(" Ada  Lovelace "),
            (Some("Ada  Lovelace".to_owned()), vec![])
        );
        assert_eq!(read("\u{1}"), (None, vec![NoteCode::NameControlCharacters]));
        assert_eq!(read("\n"), (None, vec![]));
    }

    #[test]
    fn long_names_are_cut_and_that_is_noted() {
        let (name, notes) = read(&"é".repeat(202));
        assert_eq!(
            (name.unwrap(), notes),
            ("é".repeat(201), vec![NoteCode::NameCut])
        );
        assert_eq!(read(&"é".repeat(201)).1, vec![]);
    }
}
