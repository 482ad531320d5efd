//! The signing secret of a local server, stored next to its SQLite file.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use data_encoding::BASE64URL_NOPAD;
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::{ExposeSecret, SecretString};

use crate::crypto::secret_strength;

/// Why the local secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LocalSecretError {
    #[error("{0} cannot be read: {1}")]
    Read(PathBuf, #[source] io::Error),
    #[error("{0} cannot be written: {1}")]
    Write(PathBuf, #[source] io::Error),
    #[error("{0} is readable by other users")]
    Permissions(PathBuf),
    #[error("the secret in {0} {1}")]
    Weak(PathBuf, #[source] secret_strength::WeakSecret),
    #[error("the operating system provides no random numbers")]
    NoRandomness,
}

/// `N` random bytes in base64url (RFC 4648 §5): 43 characters for 32 bytes.
///
/// # Errors
/// When the operating system provides no random numbers.
pub fn random_secret<const N: usize>() -> Result<SecretString, LocalSecretError> {
    let mut bytes = [0; N];
    #[expect(
        clippy::disallowed_methods,
        reason = "settings are read before the ports exist"
    )]
    let random = SystemRandom::new();
    random
        .fill(&mut bytes)
        .map_err(|_| LocalSecretError::NoRandomness)?;
    Ok(BASE64URL_NOPAD.encode(&bytes).into())
}

/// `hallpass.db.jwt-secret` for `hallpass.db`.
pub(super) fn path_next_to(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".jwt-secret");
    path.into()
}

/// Reads the secret from the file; `None` if there is no file.
///
/// # Errors
/// When other users can read the file, or the secret is too weak.
pub(super) fn read(path: &Path) -> Result<Option<SecretString>, LocalSecretError> {
    let failed = |error| LocalSecretError::Read(path.to_owned(), error);
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata.map_err(failed)?,
    };
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(LocalSecretError::Permissions(path.to_owned()));
    }
    let secret = SecretString::from(fs::read_to_string(path).map_err(failed)?.trim());
    secret_strength::check(secret.expose_secret().as_bytes())
        .map_err(|weakness| LocalSecretError::Weak(path.to_owned(), weakness))?;
    Ok(Some(secret))
}

/// Generates a secret and stores it in the file. If another process was faster, reads that one's secret.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn create(path: &Path) -> Result<SecretString, LocalSecretError> {
    let failed = |error| LocalSecretError::Write(path.to_owned(), error);
    let secret = random_secret::<32>()?;
    // Write a temporary file and link it into place, so that no process ever reads half a secret, even after a
    // crash.
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", random_secret::<6>()?.expose_secret()));
    let draft = PathBuf::from(draft);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .map_err(failed)?;
    let linked = writeln!(file, "{}", secret.expose_secret())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft).map_err(failed)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            read(path)?.ok_or(failed(io::ErrorKind::NotFound.into()))
        }
        linked => linked.map(|()| secret).map_err(failed),
    }
}
