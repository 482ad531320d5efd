//! What tokens are signed with and what they claim.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::Mode;
use super::database::Database;
use super::local_secret::{self, LocalSecretError};
use super::reader::{Environment, Reader};
use super::server::Server;
use super::setting_error::{Problem, SettingErrors};
use super::settings::{JWT_AUDIENCE, JWT_ISSUER, JWT_SECRET};
use crate::crypto::secret_strength;

const MAKE_ONE: &str =
    "Make one with `hallpass secret generate` and give it as JWT_SECRET or JWT_SECRET_FILE.";

#[derive(Debug, Clone)]
pub struct Tokens {
    /// Newest first: the first signs, all verify. Never empty.
    pub secrets: Vec<SecretString>,
    pub issuer: Option<String>,
    pub audience: Option<String>,
    /// The file the secret came from, when no `JWT_SECRET` was given.
    pub local_secret: Option<PathBuf>,
}

impl Tokens {
    /// Must be read last: a local secret is only made when there is no fault yet.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        server: Option<&Server>,
        database: Option<&Database>,
    ) -> Option<Self> {
        let issuer = reader.value(&JWT_ISSUER, |text| Ok(text.to_owned()));
        let audience = reader.value(&JWT_AUDIENCE, |text| Ok(text.to_owned()));
        let (secrets, local_secret) = if reader.is_given(&JWT_SECRET) {
            (given_secrets(reader)?, None)
        } else {
            let path = local_secret_path(reader, server, database)?;
            let may_create = !reader.has_faults();
            let secret = match local_secret::read(&path) {
                Ok(None) if may_create => local_secret::create(&path),
                Ok(None) => return None,
                Ok(Some(secret)) => Ok(secret),
                Err(error) => Err(error),
            };
            match secret {
                Ok(secret) => (vec![secret], Some(path)),
                Err(error) => {
                    reader.complain(&JWT_SECRET, no_local_secret(&error));
                    return None;
                }
            }
        };
        Some(Self {
            secrets,
            issuer,
            audience,
            local_secret,
        })
    }

    /// The secrets as they are given now, for a running server.
    ///
    /// # Errors
    /// What [`Config::read`](super::Config::read) would say of them, and when there are none any more.
    pub fn reread(&self, environment: Environment<'_>) -> Result<Vec<SecretString>, SettingErrors> {
        let mut reader = Reader::new(environment, Mode::Serve);
        let secrets = if reader.is_given(&JWT_SECRET) {
            given_secrets(&mut reader)
        } else {
            match self.local_secret.as_deref().map(local_secret::read) {
                Some(Ok(Some(secret))) => Some(vec![secret]),
                Some(Err(error)) => {
                    reader.complain(&JWT_SECRET, no_local_secret(&error));
                    None
                }
                Some(Ok(None)) | None => {
                    let why = "It is not given any more.";
                    reader.complain(&JWT_SECRET, Problem::new(why, MAKE_ONE));
                    None
                }
            }
        };
        match secrets {
            Some(secrets) if !reader.has_faults() => Ok(secrets),
            _ => Err(reader.into_faults()),
        }
    }
}

/// `None` after a fault.
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
                format!("{which} is there twice.")
            }
            Ok(()) => continue,
        };
        reader.complain(
            &JWT_SECRET,
            Problem::new(why, "Make another with `hallpass secret generate`."),
        );
    }
    Some(entries.into_iter().map(SecretString::from).collect())
}

/// Where a server that others cannot reach keeps its secret; a fault for any other server.
fn local_secret_path(
    reader: &mut Reader<'_>,
    server: Option<&Server>,
    database: Option<&Database>,
) -> Option<PathBuf> {
    let mut reasons = Vec::new();
    // In development an exposed address is a fault already, secret or not.
    if let (Some(server), Mode::Serve) = (server, reader.mode) {
        if !server.is_on_loopback() {
            reasons.push("HOST is not a loopback address");
        }
        if server.public_url.scheme() == "https" {
            reasons.push("PUBLIC_URL is https");
        }
    }
    if let Some(Database::Postgres { .. }) = database {
        reasons.push("DATABASE_URL is PostgreSQL");
    }
    if !reasons.is_empty() {
        let why = format!("It is missing, though {}.", reasons.join(" and "));
        reader.complain(&JWT_SECRET, Problem::new(why, MAKE_ONE));
        return None;
    }
    match database? {
        Database::Sqlite { path } => Some(local_secret::path_beside(path)),
        Database::Postgres { .. } => None,
    }
}

fn no_local_secret(error: &LocalSecretError) -> Problem {
    let hint = match error {
        LocalSecretError::Read(..) => "Make it readable, or give JWT_SECRET.".to_owned(),
        LocalSecretError::Write(..) => {
            "Let the database file's directory exist and be writable, or give JWT_SECRET."
                .to_owned()
        }
        LocalSecretError::Permissions(path) => {
            format!("Run `chmod 600 {}`, or give JWT_SECRET.", path.display())
        }
        LocalSecretError::Weak(..) => {
            "Delete the file and another is made, or give JWT_SECRET.".to_owned()
        }
        LocalSecretError::NoRandomness => "Give JWT_SECRET.".to_owned(),
    };
    let why = format!("It is not given, and {error}.");
    Problem::new(why, hint)
}
