//! The sentences of pages and e-mails, by key, from `texts/en.json`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, Value};
use serde::Serialize;

const ENGLISH: &str = include_str!("../texts/en.json");

/// The texts of one language.
#[derive(Debug)]
pub struct Texts(BTreeMap<String, String>);

/// A sentence in no language yet: its key, and the values of its placeholders.
#[derive(Debug, Clone, Serialize)]
pub struct Text {
    key: &'static str,
    values: BTreeMap<&'static str, Value>,
}

impl Text {
    pub fn new(key: &'static str) -> Self {
        Self {
            key,
            values: BTreeMap::new(),
        }
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.values.insert(name, value.to_string().into());
        self
    }

    /// Fills a placeholder with another text.
    #[must_use]
    pub fn with_text(mut self, name: &'static str, key: &'static str) -> Self {
        self.values
            .insert(name, Value::from_serialize(Self::new(key)));
        self
    }
}

impl From<&'static str> for Text {
    fn from(key: &'static str) -> Self {
        Self::new(key)
    }
}

impl Texts {
    pub fn english() -> &'static Self {
        static TEXTS: LazyLock<Texts> =
            LazyLock::new(|| Texts(serde_json::from_str(ENGLISH).unwrap_or_default()));
        &TEXTS
    }

    /// A sentence outside a template, which escapes it if it must.
    pub fn plain(&self, key: &'static str, values: &[(&str, &str)]) -> String {
        let sentence = self.0.get(key).map_or(key, String::as_str);
        pieces(sentence)
            .map(|piece| match piece {
                Piece::Words(words) => words,
                Piece::Placeholder(name) => values
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map_or("", |(_, value)| *value),
            })
            .collect()
    }

    /// An environment whose templates say `t("key", name=value)`, or `t(text)` for a [`Text`].
    pub fn environment(&'static self) -> Environment<'static> {
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.add_function("t", |state: &State<'_, '_>, text: Value, values: Kwargs| {
            self.say(state, &text, &|name| values.get(name))
        });
        environment
    }

    /// Escaped as the template demands, values and words alike.
    fn say(
        &self,
        state: &State<'_, '_>,
        text: &Value,
        value_of: &dyn Fn(&str) -> Result<Value, Error>,
    ) -> Result<Value, Error> {
        if text.kind() == ValueKind::Map {
            let values = text.get_attr("values")?;
            return self.say(state, &text.get_attr("key")?, &|name| values.get_attr(name));
        }
        let sentence = text
            .as_str()
            .and_then(|key| self.0.get(key))
            .ok_or_else(|| missing(format!("there is no text {text}")))?;
        let mut said = String::new();
        for piece in pieces(sentence) {
            let value = match piece {
                Piece::Words(words) => words.into(),
                Piece::Placeholder(name) => match value_of(name)? {
                    value if value.kind() == ValueKind::Map => self.say(state, &value, value_of)?,
                    value if value.is_undefined() => {
                        return Err(missing(format!("the text {text} has no value for {name}")));
                    }
                    value => value,
                },
            };
            said.push_str(&state.format(value)?);
        }
        Ok(match state.auto_escape() {
            AutoEscape::None => said.into(),
            _ => Value::from_safe_string(said),
        })
    }
}

fn missing(what: String) -> Error {
    Error::new(ErrorKind::UndefinedError, what)
}

enum Piece<'a> {
    Words(&'a str),
    Placeholder(&'a str),
}

/// Braces are always placeholders, so every second piece is one.
fn pieces(sentence: &str) -> impl Iterator<Item = Piece<'_>> {
    sentence
        .split(['{', '}'])
        .enumerate()
        .map(|(number, piece)| match number % 2 {
            0 => Piece::Words(piece),
            _ => Piece::Placeholder(piece),
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    fn render(file: &'static str, template: &'static str, values: Value) -> Result<String, Error> {
        let texts = [("hello", "You & <{name}>"), ("ada", "Ada")]
            .map(|(key, sentence)| (key.to_owned(), sentence.to_owned()));
        let texts = Box::leak(Box::new(Texts(BTreeMap::from(texts))));
        let mut environment = texts.environment();
        environment.add_template(file, template)?;
        environment.get_template(file)?.render(values)
    }

    fn with<T: Serialize>(name: &str, value: T) -> Value {
        Value::from_serialize(BTreeMap::from([(name, value)]))
    }

    /// Adds every literal that reads like a key to `keys`.
    fn keys_in(path: &Path, keys: &mut BTreeSet<String>) {
        if path.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                keys_in(&entry.unwrap().path(), keys);
            }
            return;
        }
        let source = fs::read_to_string(path).unwrap();
        let is_key = |literal: &&str| {
            let begins = ["language", "role.", "page.", "email."].map(|it| literal.starts_with(it));
            let is_plain = |c: char| c.is_ascii_lowercase() || matches!(c, '_' | '.');
            begins.contains(&true)
                && literal.chars().all(is_plain)
                && ![".html", ".css", "."]
                    .iter()
                    .any(|end| literal.ends_with(end))
        };
        keys.extend(source.split('"').filter(is_key).map(str::to_owned));
    }

    #[test]
    fn every_key_in_use_has_a_text_and_every_text_is_used() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut used = BTreeSet::new();
        for folder in ["http", "email_templates"] {
            keys_in(&source.join(folder), &mut used);
        }
        let known: BTreeSet<String> = Texts::english().0.keys().cloned().collect();
        let missing: Vec<_> = used.difference(&known).collect();
        assert!(missing.is_empty(), "no text for {missing:?}");
        let unused: Vec<_> = known.difference(&used).collect();
        assert!(unused.is_empty(), "nothing shows {unused:?}");
        assert_eq!(ENGLISH.matches("\": \"").count(), known.len());
    }

    fn without(text: &str, open: &str, close: &str) -> String {
        let mut pieces = text.split(open);
        let mut kept = pieces.next().unwrap().to_owned();
        kept.extend(pieces.filter_map(|piece| Some(piece.split_once(close)?.1)));
        kept
    }

    #[test]
    fn templates_hold_no_words_of_their_own() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let emails = fs::read_dir(source.join("email_templates/templates")).unwrap();
        let pages = ["http/pages/shell.html", "http/next_auth/page.html"];
        let pages = pages.map(|page| source.join(page));
        for file in emails.map(|entry| entry.unwrap().path()).chain(pages) {
            let mut text = fs::read_to_string(&file).unwrap();
            let tags = [
                ("{{", "}}"),
                ("{%", "%}"),
                ("<style", "</style>"),
                ("<", ">"),
            ];
            for (open, close) in tags {
                text = without(&text, open, close);
            }
            let text = text.replace("Hallpass", "").replace("Subject:", "");
            assert!(!text.contains(char::is_alphabetic), "{file:?}: {text}");
        }
    }

    #[test]
    fn every_brace_of_a_text_belongs_to_a_placeholder() {
        for (key, sentence) in &Texts::english().0 {
            let braces: String = sentence.matches(['{', '}']).collect();
            assert_eq!(braces.replace("{}", ""), "", "{key}");
            assert!(!sentence.is_empty() && sentence.trim() == sentence, "{key}");
        }
    }

    #[test]
    fn a_value_is_escaped_in_html_and_never_read_as_a_text() {
        let template = "{{ t(\"hello\", name=name) }}";
        let values = with("name", "<b>{name}{{ 1 }}");
        assert_eq!(
            render("a.html", template, values.clone()).unwrap(),
            "You &amp; &lt;&lt;b&gt;{name}{{ 1 }}&gt;"
        );
        assert_eq!(
            render("a.txt", template, values).unwrap(),
            "You & <<b>{name}{{ 1 }}>"
        );
    }

    #[test]
    fn a_text_brings_its_values_into_a_template() {
        let said = |text: Text| render("a.html", "{{ t(text) }}", with("text", text)).unwrap();
        let hello = || Text::new("hello");
        assert_eq!(
            said(hello().with("name", "<i>")),
            "You &amp; &lt;&lt;i&gt;&gt;"
        );
        assert_eq!(
            said(hello().with_text("name", "ada")),
            "You &amp; &lt;Ada&gt;"
        );
    }

    #[test]
    fn a_missing_text_or_value_is_an_error() {
        for template in ["{{ t(\"hello\") }}", "{{ t(\"goodbye\") }}"] {
            assert!(render("a.html", template, ().into()).is_err(), "{template}");
        }
        let text = with("text", Text::new("hello"));
        assert!(render("a.html", "{{ t(text) }}", text).is_err());
    }

    #[test]
    fn a_text_can_be_said_outside_a_template() {
        let said = Texts::english().plain("email.days", &[("count", "7")]);
        assert_eq!(said, "7 days");
    }
}
