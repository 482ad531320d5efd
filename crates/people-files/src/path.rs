//! Paths: where in a row a value is. `email`, `profile.name`, `credentials[type=otp].secretData.value`,
//! `id_token#https://slack.com/team_id`, `first+last`, `auth0|{_id.$oid}`, `email-local`.

use std::rc::Rc;

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::value::{is_nothing, text_of};

/// A row, by the names of its columns.
pub type Row = Map<String, Value>;

/// A row of the people with those that were joined to it.
#[derive(Debug, Clone)]
pub(crate) struct Joined<'a> {
    pub row: &'a Row,
    /// By their names in the mapping; `None` where nothing matched.
    pub also: Vec<(&'a str, Option<Rc<Row>>)>,
    /// What `email-local` is made of.
    pub email: Option<Rc<str>>,
}

impl<'a> Joined<'a> {
    pub(crate) fn alone(row: &'a Row) -> Self {
        Self {
            row,
            also: Vec::new(),
            email: None,
        }
    }

    pub(crate) fn and(mut self, name: &'a str, row: Option<Rc<Row>>) -> Self {
        self.also.push((name, row));
        self
    }
}

/// A path that has been read. An own column of exactly that name always counts first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Path {
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Steps(Steps),
    /// The parts, with a space between.
    Sum(Vec<Steps>),
    Template(Vec<Piece>),
    EmailLocal,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Hole(Steps),
}

/// Keys and selectors, and a claim of the token found there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Steps {
    keys: String,
    claim: Option<String>,
}

/// The text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no path to a column: {why}")]
pub struct PathError {
    text: String,
    why: &'static str,
}

impl TryFrom<String> for Path {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        Self::parse(&text)
    }
}

impl Path {
    /// # Errors
    /// An empty text, and brackets or braces that are not closed.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let fail = |why| PathError {
            text: text.to_owned(),
            why,
        };
        let kind = if text == "email-local" {
            Kind::EmailLocal
        } else if text.contains('{') {
            Kind::Template(template(text).ok_or_else(|| fail("a { needs its }"))?)
        } else {
            let parts = split_outside_brackets(text, '+').ok_or_else(|| fail("a [ needs its ]"))?;
            if parts.iter().any(|part| part.trim().is_empty()) {
                return Err(fail("it has an empty part"));
            }
            let mut steps: Vec<Steps> = parts.iter().map(|part| Steps::parse(part)).collect();
            match (steps.pop(), steps.is_empty()) {
                (Some(only), true) => Kind::Steps(only),
                (last, _) => Kind::Sum(steps.into_iter().chain(last).collect()),
            }
        };
        Ok(Self {
            text: text.to_owned(),
            kind,
        })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it reads the rows of `[also.NAME]`.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        self.steps()
            .any(|steps| within(&steps.keys, name).is_some())
    }

    /// What a row must have one key of: `profile.name` needs a column `profile.name` or `profile`.
    pub(crate) fn roots(&self) -> impl Iterator<Item = &str> {
        self.steps().map(|steps| &*steps.keys)
    }

    fn steps(&self) -> Box<dyn Iterator<Item = &Steps> + '_> {
        match &self.kind {
            Kind::Steps(steps) => Box::new(std::iter::once(steps)),
            Kind::Sum(parts) => Box::new(parts.iter()),
            Kind::Template(pieces) => Box::new(pieces.iter().filter_map(|piece| match piece {
                Piece::Hole(steps) => Some(steps),
                Piece::Text(_) => None,
            })),
            Kind::EmailLocal => Box::new(std::iter::empty()),
        }
    }

    /// All values there, without those that are nothing.
    pub(crate) fn values(&self, joined: &Joined<'_>) -> Vec<Value> {
        if let Some(value) = joined.row.get(&self.text) {
            return if is_nothing(value) {
                Vec::new()
            } else {
                vec![value.clone()]
            };
        }
        match &self.kind {
            Kind::Steps(steps) => steps.values(joined),
            Kind::Sum(parts) => {
                let texts = parts.iter().filter_map(|part| part.text(joined));
                let sum = texts.collect::<Vec<_>>().join(" ");
                if sum.is_empty() {
                    Vec::new()
                } else {
                    vec![Value::String(sum)]
                }
            }
            Kind::Template(pieces) => {
                let texts = pieces.iter().map(|piece| match piece {
                    Piece::Text(text) => Some(text.clone()),
                    Piece::Hole(steps) => steps.text(joined),
                });
                texts
                    .collect::<Option<String>>()
                    .map(Value::String)
                    .into_iter()
                    .collect()
            }
            Kind::EmailLocal => {
                let local = joined
                    .email
                    .as_deref()
                    .and_then(|email| email.rsplit_once('@'));
                local
                    .map(|(local, _)| Value::from(local))
                    .into_iter()
                    .collect()
            }
        }
    }
}

impl Steps {
    fn parse(text: &str) -> Self {
        let (keys, claim) = match text.split_once('#') {
            Some((keys, claim)) => (keys, Some(claim.to_owned())),
            None => (text, None),
        };
        Self {
            keys: keys.trim().to_owned(),
            claim,
        }
    }

    fn values(&self, joined: &Joined<'_>) -> Vec<Value> {
        let mut found = Vec::new();
        let also = joined.also.iter();
        let elsewhere = also
            .filter_map(|(name, row)| Some((row, within(&self.keys, name)?)))
            .next();
        match elsewhere {
            Some((row, rest)) => {
                if let Some(row) = row {
                    walk_row(row, rest, &mut |value| found.push(value.clone()));
                }
            }
            None => walk_row(joined.row, &self.keys, &mut |value| {
                found.push(value.clone());
            }),
        }
        if let Some(claim) = &self.claim {
            found = found
                .iter()
                .flat_map(|token| claims(token, claim))
                .collect();
        }
        found
    }

    fn text(&self, joined: &Joined<'_>) -> Option<String> {
        self.values(joined).first().map(text_of)
    }
}

/// The keys behind `name.`.
fn within<'a>(keys: &'a str, name: &str) -> Option<&'a str> {
    keys.strip_prefix(name)?.strip_prefix('.')
}

fn walk_row(row: &Row, keys: &str, found: &mut dyn FnMut(&Value)) {
    // Keys may hold dots themselves, so the longest that exists counts.
    let child = ends_of_keys(keys).into_iter().rev().find_map(|end| {
        let (key, rest) = keys.split_at_checked(end)?;
        Some((row.get(key)?, rest.strip_prefix('.').unwrap_or(rest)))
    });
    if let Some((child, rest)) = child {
        walk(child, rest, found);
    }
}

fn walk(value: &Value, keys: &str, found: &mut dyn FnMut(&Value)) {
    if keys.is_empty() {
        if !is_nothing(value) {
            found(value);
        }
        return;
    }
    match value {
        Value::Object(row) => walk_row(row, keys, found),
        Value::Array(items) => {
            let (selector, rest) = selector(keys).unwrap_or(("", keys));
            let chosen = items
                .iter()
                .enumerate()
                .filter(|(at, item)| selects(selector, *at, item));
            chosen.for_each(|(_, item)| walk(item, rest, found));
        }
        // A column that holds JSON as a text.
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
            if let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
                walk(&inner, keys, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `[type=otp].secret` is `type=otp` and `secret`.
fn selector(keys: &str) -> Option<(&str, &str)> {
    let (selector, rest) = keys.strip_prefix('[')?.split_once(']')?;
    Some((selector, rest.strip_prefix('.').unwrap_or(rest)))
}

/// Nothing selects all, a number the element at that place, `key=value` those where they are equal, `key=` those that
/// have nothing there.
fn selects(selector: &str, at: usize, item: &Value) -> bool {
    if selector.is_empty() {
        return true;
    }
    match selector.split_once('=') {
        Some((key, wanted)) => {
            let mut texts = Vec::new();
            walk(item, key, &mut |value| texts.push(text_of(value)));
            if wanted.is_empty() {
                texts.is_empty()
            } else {
                texts.iter().any(|text| text == wanted)
            }
        }
        None => selector.parse() == Ok(at),
    }
}

/// Where a key can end: before a dot or a bracket, or at the end.
fn ends_of_keys(keys: &str) -> Vec<usize> {
    let mut depth = 0_usize;
    let mut ends = Vec::new();
    for (at, c) in keys.char_indices() {
        if depth == 0 && at > 0 && matches!(c, '.' | '[') {
            ends.push(at);
        }
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    ends.push(keys.len());
    ends
}

/// Of the payload of a signed token, whose signature says nothing here: the file is trusted.
fn claims(token: &Value, claim: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let payload = token.as_str().and_then(|token| token.split('.').nth(1));
    let bytes = payload.and_then(|payload| {
        BASE64URL_NOPAD
            .decode(payload.trim_end_matches('=').as_bytes())
            .ok()
    });
    if let Some(Ok(Value::Object(row))) = bytes.map(|bytes| serde_json::from_slice(&bytes)) {
        walk_row(&row, claim, &mut |value| found.push(value.clone()));
    }
    found
}

/// `None` if a bracket is left open.
fn split_outside_brackets(text: &str, separator: char) -> Option<Vec<&str>> {
    let mut depth = 0_usize;
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.checked_sub(1)?,
            _ if c == separator && depth == 0 => {
                parts.push(text.get(start..at)?);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text.get(start..)?);
    (depth == 0).then_some(parts)
}

/// `None` if a brace is left open.
fn template(text: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, hole)) = rest.split_once('{') {
        let (keys, after) = hole.split_once('}')?;
        split_outside_brackets(keys, '+')?;
        pieces.push(Piece::Text(before.to_owned()));
        pieces.push(Piece::Hole(Steps::parse(keys)));
        rest = after;
    }
    pieces.push(Piece::Text(rest.to_owned()));
    Some(pieces)
}
