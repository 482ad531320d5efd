//! The earlier system whose sessions are exchanged for ours.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};

use super::reader::Reader;
use super::setting_error::{Problem, quoted};
use super::settings::{
    LEGACY_SESSION_COOKIE, LEGACY_SESSION_CUT_OVER, LEGACY_SESSION_ISSUER, LEGACY_SESSION_SECRET,
    LEGACY_SESSION_SOURCE, LEGACY_SESSION_UNTIL, Setting,
};
use super::values::one_of;
use crate::crypto::legacy_session::{Format, is_key_set};
use crate::crypto::secret_strength;

#[derive(Debug, Clone)]
pub struct LegacySessions {
    pub format: Format,
    /// Whose external ids its people have.
    pub source: String,
    /// Never empty.
    pub secrets: Vec<SecretString>,
    /// `None`: the usual one of the format.
    pub cookie: Option<String>,
    /// Of the tokens, if they must have one.
    pub issuer: Option<String>,
    pub until: DateTime<Utc>,
    /// `None`: each person's import.
    pub cut_over: Option<DateTime<Utc>>,
}

impl LegacySessions {
    /// `None` if it is not set, or after an error.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let cookie = reader.value(&LEGACY_SESSION_COOKIE, cookie_name);
        let issuer = reader.value(&LEGACY_SESSION_ISSUER, |text| Ok(text.to_owned()));
        let until = reader.value(&LEGACY_SESSION_UNTIL, time);
        let cut_over = reader.value(&LEGACY_SESSION_CUT_OVER, time);
        let secrets = reader
            .secret(&LEGACY_SESSION_SECRET)
            .map(|text| secrets(&text));
        if !reader.is_given(&LEGACY_SESSION_SOURCE) {
            reject_others(reader);
            return None;
        }
        let (format, source) = reader.value(&LEGACY_SESSION_SOURCE, source)?;
        for (setting, hint) in [
            (
                &LEGACY_SESSION_SECRET,
                "Set it, or LEGACY_SESSION_SECRET_FILE, to the secret of the earlier system.",
            ),
            (
                &LEGACY_SESSION_UNTIL,
                "Set it to a time at most 60 days ahead, such as 2027-01-31T00:00:00Z.",
            ),
        ] {
            if !reader.is_given(setting) {
                let why = "It is required because LEGACY_SESSION_SOURCE is set.";
                reader.report(setting, Problem::new(why, hint));
            }
        }
        let mut given = secrets.iter().flatten();
        if issuer.is_none() && given.any(|it| is_key_set(it.expose_secret())) {
            let why = "It is required because LEGACY_SESSION_SECRET is a JWK Set.";
            let hint = "Set it to the `iss` of the earlier system's tokens: others may have the same keys.";
            reader.report(&LEGACY_SESSION_ISSUER, Problem::new(why, hint));
        }
        Some(Self {
            format,
            source,
            issuer,
            secrets: secrets?,
            cookie,
            until: until?,
            cut_over,
        })
    }

    /// What to tell the operator about the secret, which the earlier system had chosen.
    pub fn warning(&self) -> Option<&'static str> {
        let is_weak = |it: &SecretString| {
            let text = it.expose_secret();
            !is_key_set(text) && secret_strength::check(text.as_bytes()).is_err()
        };
        self.secrets.iter().any(is_weak).then_some(
            "LEGACY_SESSION_SECRET is weak or publicly known: until LEGACY_SESSION_UNTIL, whoever guesses it can sign \
             in as anyone who was imported",
        )
    }
}

/// Nothing but the source says what the others are for.
fn reject_others(reader: &mut Reader<'_>) {
    for setting in [
        &LEGACY_SESSION_SECRET,
        &LEGACY_SESSION_UNTIL,
        &LEGACY_SESSION_CUT_OVER,
        &LEGACY_SESSION_COOKIE,
        &LEGACY_SESSION_ISSUER,
    ] {
        reject(reader, setting);
    }
}

fn reject(reader: &mut Reader<'_>, setting: &Setting) {
    if reader.is_given(setting) {
        let why = "It has no effect without LEGACY_SESSION_SOURCE.";
        reader.report(
            setting,
            Problem::new(why, "Set LEGACY_SESSION_SOURCE, or remove it."),
        );
    }
}

/// `FORMAT`, or `FORMAT:SOURCE` if the import had another name for its source.
fn source(text: &str) -> Result<(Format, String), Problem> {
    let (format, source) = text.split_once(':').unwrap_or((text, text));
    let source = source.trim();
    if source.is_empty() {
        let why = format!("{} names no source after the colon.", quoted(text));
        return Err(Problem::new(
            why,
            "Write the source of the import there, or remove the colon.",
        ));
    }
    Ok((one_of(&Format::ALL)(format.trim())?, source.to_owned()))
}

/// A JWK Set; or comma-separated, where what has a comma may also be one secret.
fn secrets(text: &SecretString) -> Vec<SecretString> {
    let text = text.expose_secret();
    let mut secrets = vec![text];
    if text.contains(',') && !is_key_set(text) {
        secrets.extend(text.split(',').map(str::trim).filter(|it| !it.is_empty()));
    }
    secrets.into_iter().map(SecretString::from).collect()
}

fn time(text: &str) -> Result<DateTime<Utc>, Problem> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .map_err(|_| {
            let why = format!("{} is not a time of RFC 3339.", quoted(text));
            Problem::new(
                why,
                "Write it with its offset, such as 2027-01-31T00:00:00Z.",
            )
        })
}

/// A token of RFC 9110 §5.6.2, as the name of every cookie is.
fn cookie_name(text: &str) -> Result<String, Problem> {
    let is_good = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    is_good.then(|| text.to_owned()).ok_or_else(|| {
        let why = format!("{} is no name of a cookie.", quoted(text));
        Problem::new(
            why,
            "Write only the name, as a browser shows it, without `__Secure-`.",
        )
    })
}
