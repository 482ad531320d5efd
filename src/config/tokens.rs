//! The secrets and keys that sign tokens, the claims that are the same in all tokens, and how long tokens and sessions last.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::Mode;
use super::database::Database;
use super::local_secret::{self, LocalSecretError};
use super::reader::{Environment, Reader};
use super::server::Server;
use super::setting_error::{Problem, SettingErrors};
use super::settings::{
    JWT_ACCEPT_SHARED_SECRET, JWT_AUDIENCE, JWT_EXTERNAL_ID, JWT_ISSUER, JWT_SECRET,
    JWT_SIGNING_ALGORITHM, JWT_SIGNING_KEY, SESSION_IDLE, SESSION_LIFETIME, TOKEN_LIFETIME,
};
use super::values::{duration, one_of, switch};
use crate::crypto::secret_strength;
use crate::crypto::signing_key::SigningKey;
use crate::crypto::token_keys::{SecretUse, SigningKeys};
use crate::domain::Lifetimes;

const GENERATE_ONE: &str =
    "Generate one with `hallpass secret generate`, and set JWT_SECRET or JWT_SECRET_FILE.";

const GENERATE_A_KEY: &str = "Generate one with `hallpass secret generate --es256`.";

const PUT_IT_BACK: &str = "Put the file back, or set JWT_SECRET to what it was. If it is lost, set JWT_SECRET to a new \
                           one of `hallpass secret generate`: everybody has to sign in again, and authenticators have \
                           to be reset.";

const AS_THE_SERVER: &str = "Set JWT_SECRET or JWT_SECRET_FILE as for the server.";

#[derive(Debug, Clone)]
pub struct Tokens {
    /// Newest first: the first signs, all verify. Never empty.
    pub secrets: Vec<SecretString>,
    /// `None`: there are only secrets.
    pub signing: Option<SigningKeys>,
    /// `JWT_SIGNING_KEY` as it was given: PEM.
    pub signing_text: Option<SecretString>,
    pub issuer: Option<String>,
    pub audience: Option<String>,
    /// Whether tokens say which id their user had in the system they came from.
    pub external_id: bool,
    pub lifetimes: Lifetimes,
    /// The file that the secret was read from, if `JWT_SECRET` is not set.
    pub local_secret: Option<PathBuf>,
}

impl Tokens {
    /// Must be read last: a local secret is only created if there are no errors.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        server: Option<&Server>,
        database: Option<&Database>,
    ) -> Option<Self> {
        let issuer = reader.value(&JWT_ISSUER, |text| Ok(text.to_owned()));
        let audience = reader.value(&JWT_AUDIENCE, |text| Ok(text.to_owned()));
        let external_id = reader.value(&JWT_EXTERNAL_ID, switch);
        let lifetimes = lifetimes(reader);
        let (signing, signing_text) = signing(reader).unzip();
        let (secrets, local_secret) = if reader.is_given(&JWT_SECRET) {
            (given_secrets(reader)?, None)
        } else {
            let path = local_secret_path(reader, server, database)?;
            let may_create = !reader.has_errors();
            let secret = match local_secret::read(&path) {
                Ok(None) if may_create && reader.mode == Mode::Operator => {
                    // Another secret than the server's would be of no use.
                    let why = format!("It is not set, and there is no {}.", path.display());
                    reader.report(&JWT_SECRET, Problem::new(why, AS_THE_SERVER));
                    return None;
                }
                Ok(None) if may_create && reader.needed_secret.is_some() => {
                    let needs = reader.needed_secret.take().unwrap_or_default();
                    let why = format!(
                        "It is not set, there is no {}, and a new secret would not do: {needs}.",
                        path.display()
                    );
                    reader.report(&JWT_SECRET, Problem::new(why, PUT_IT_BACK));
                    return None;
                }
                Ok(None) if may_create => local_secret::create(&path),
                Ok(None) => return None,
                Ok(Some(secret)) => Ok(secret),
                Err(error) => Err(error),
            };
            match secret {
                Ok(secret) => (vec![secret], Some(path)),
                Err(error) => {
                    reader.report(&JWT_SECRET, local_secret_problem(&error));
                    return None;
                }
            }
        };
        Some(Self {
            secrets,
            signing,
            signing_text,
            issuer,
            audience,
            external_id: external_id?,
            lifetimes: lifetimes?,
            local_secret,
        })
    }

    /// Without a signing key, the secret signs.
    pub fn secret_use(&self) -> SecretUse {
        self.signing
            .as_ref()
            .map_or(SecretUse::Signs, SigningKeys::secret_use)
    }

    /// What to tell the operator on the way from the secret to a signing key.
    pub fn warning(&self) -> Option<&'static str> {
        match self.signing.as_ref()?.secret_use() {
            SecretUse::Signs => Some(
                "JWT_SIGNING_ALGORITHM is HS256: JWT_SECRET signs access tokens. Remove it once every instance has \
                 JWT_SIGNING_KEY, and other services its public key.",
            ),
            SecretUse::Verifies => Some(
                "JWT_ACCEPT_SHARED_SECRET is on: whoever has JWT_SECRET can still make access tokens. Turn it off 7 \
                 days after JWT_SIGNING_KEY began to sign, when no token of the secret is left.",
            ),
            SecretUse::Refused => None,
        }
    }

    /// Reads the secrets and the signing keys again, for a running server. The rest is as it was.
    ///
    /// # Errors
    /// The errors of [`Config::read`](super::Config::read), and when the secret is no longer set.
    pub fn reread(&self, environment: &dyn Environment) -> Result<Self, SettingErrors> {
        let mut reader = Reader::new(environment, Mode::Serve);
        let (signing, signing_text) = signing(&mut reader).unzip();
        let secrets = if reader.is_given(&JWT_SECRET) {
            given_secrets(&mut reader)
        } else {
            match self.local_secret.as_deref().map(local_secret::read) {
                Some(Ok(Some(secret))) => Some(vec![secret]),
                Some(Err(error)) => {
                    reader.report(&JWT_SECRET, local_secret_problem(&error));
                    None
                }
                Some(Ok(None)) | None => {
                    let why = "It is no longer set.";
                    reader.report(&JWT_SECRET, Problem::new(why, GENERATE_ONE));
                    None
                }
            }
        };
        match secrets {
            Some(secrets) if !reader.has_errors() => Ok(Self {
                secrets,
                signing,
                signing_text,
                ..self.clone()
            }),
            _ => Err(reader.into_errors()),
        }
    }
}

/// `None` after an error.
fn lifetimes(reader: &mut Reader<'_>) -> Option<Lifetimes> {
    let token = reader.value(&TOKEN_LIFETIME, duration);
    let session = reader.value(&SESSION_LIFETIME, duration);
    let idle = reader.value(&SESSION_IDLE, duration);
    let lifetimes = Lifetimes {
        token: token?,
        session: session?,
        idle,
    };
    if let Some(idle) = lifetimes.idle
        && idle.span() > lifetimes.session.span()
    {
        let why = format!(
            "No session is idle for {idle}: it ends after {}.",
            lifetimes.session
        );
        let hint = "Make it shorter than SESSION_LIFETIME, or remove it.";
        reader.report(&SESSION_IDLE, Problem::new(why, hint));
    }
    Some(lifetimes)
}

/// `None` after an error.
fn given_secrets(reader: &mut Reader<'_>) -> Option<Vec<SecretString>> {
    let text = reader.secret(&JWT_SECRET)?;
    let entries: Vec<&str> = text.expose_secret().split(',').map(str::trim).collect();
    for (index, entry) in entries.iter().enumerate() {
        let which = match entries.len() {
            1 => "The secret".to_owned(),
            _ => format!("Secret {} of {}", index + 1, entries.len()),
        };
        let earlier = entries.iter().take(index);
        let why = match secret_strength::check(entry.as_bytes()) {
            Err(weakness) => format!("{which} {weakness}."),
            Ok(()) if earlier.clone().any(|other| other == entry) => {
                format!("{which} is a duplicate.")
            }
            Ok(()) => continue,
        };
        reader.report(
            &JWT_SECRET,
            Problem::new(why, "Generate a new one with `hallpass secret generate`."),
        );
    }
    Some(entries.into_iter().map(SecretString::from).collect())
}

/// `None` after an error.
fn secret_use(reader: &mut Reader<'_>) -> Option<SecretUse> {
    let accept = reader.value(&JWT_ACCEPT_SHARED_SECRET, switch);
    let signs = reader.value(
        &JWT_SIGNING_ALGORITHM,
        one_of(&[("ES256", false), ("HS256", true)]),
    );
    if !reader.is_given(&JWT_SIGNING_KEY) {
        for (setting, needs_a_key, why) in [
            (
                &JWT_ACCEPT_SHARED_SECRET,
                accept == Some(false),
                "It is off, and no other key signs tokens.",
            ),
            (
                &JWT_SIGNING_ALGORITHM,
                signs == Some(false),
                "It is ES256, and there is no key for it.",
            ),
        ] {
            if needs_a_key {
                let hint = "Set JWT_SIGNING_KEY or JWT_SIGNING_KEY_FILE, or remove it.";
                reader.report(setting, Problem::new(why, hint));
            }
        }
    }
    match (signs.unwrap_or(false), accept?) {
        (true, true) => Some(SecretUse::Signs),
        (false, true) => Some(SecretUse::Verifies),
        (false, false) => Some(SecretUse::Refused),
        (true, false) => {
            let why = "It is off, but JWT_SIGNING_ALGORITHM is HS256: no token would be accepted.";
            let hint = "Remove JWT_SIGNING_ALGORITHM first.";
            reader.report(&JWT_ACCEPT_SHARED_SECRET, Problem::new(why, hint));
            None
        }
    }
}

/// `None` without a signing key, or after an error.
fn signing(reader: &mut Reader<'_>) -> Option<(SigningKeys, SecretString)> {
    let secret_use = secret_use(reader);
    let text = reader.secret(&JWT_SIGNING_KEY)?;
    let keys = SigningKey::read_all(text.expose_secret());
    let count = keys.len();
    let mut read: Vec<SigningKey> = Vec::with_capacity(count);
    for (index, key) in keys.into_iter().enumerate() {
        let which = match count {
            1 => "The key".to_owned(),
            _ => format!("Key {} of {count}", index + 1),
        };
        let why = match key {
            Err(why) => format!("{which} {why}."),
            Ok(key) if read.iter().any(|other| other.kid() == key.kid()) => {
                format!("{which} is a duplicate.")
            }
            Ok(key) => {
                read.push(key);
                continue;
            }
        };
        reader.report(&JWT_SIGNING_KEY, Problem::new(why, GENERATE_A_KEY));
    }
    Some((SigningKeys::new(read, secret_use?)?, text))
}

/// The file with the secret of a server on a loopback address; an error for any other server.
fn local_secret_path(
    reader: &mut Reader<'_>,
    server: Option<&Server>,
    database: Option<&Database>,
) -> Option<PathBuf> {
    let mut reasons = Vec::new();
    // In development an exposed address is an error anyway, with or without a secret.
    if let (Some(server), Mode::Serve | Mode::Operator) = (server, reader.mode) {
        if !server.is_on_loopback() {
            reasons.push("HOST is not a loopback address");
        }
        if server.public_url.scheme() == "https" {
            reasons.push("PUBLIC_URL is https");
        }
    }
    if let Some(Database::Postgres(_)) = database {
        reasons.push("DATABASE_URL is PostgreSQL");
    }
    if !reasons.is_empty() {
        let why = format!("It is required because {}.", reasons.join(" and "));
        reader.report(&JWT_SECRET, Problem::new(why, GENERATE_ONE));
        return None;
    }
    match database? {
        Database::Sqlite { path } => Some(local_secret::path_next_to(path)),
        Database::Postgres(_) => None,
    }
}

fn local_secret_problem(error: &LocalSecretError) -> Problem {
    let hint = match error {
        LocalSecretError::Read(..) => "Make the file readable, or set JWT_SECRET.".to_owned(),
        LocalSecretError::Write(..) => {
            "Create the directory of the database file and make it writable, or set JWT_SECRET."
                .to_owned()
        }
        LocalSecretError::Permissions(path) => {
            format!("Run `chmod 600 {}`, or set JWT_SECRET.", path.display())
        }
        LocalSecretError::Weak(..) => {
            "Delete the file to generate a new secret, or set JWT_SECRET.".to_owned()
        }
        LocalSecretError::NoRandomness => "Set JWT_SECRET.".to_owned(),
    };
    let why = format!("It is not set, and {error}.");
    Problem::new(why, hint)
}
