//! `hallpass secret generate|kid`

use clap::{Args, Subcommand};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;

use super::{Failure, output};
use crate::config::{Config, SettingErrors, Tokens, Variables, random_secret};
use crate::crypto::keyring::Keyring;
use crate::crypto::signing_key::{self, SigningKey};
use crate::crypto::token_keys::{SecretUse, SigningKeys};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass secret generate",
    "(umask 077; hallpass secret generate > /etc/hallpass/jwt-secret)",
    "(umask 077; hallpass secret generate --es256 > /etc/hallpass/jwt-signing-key)",
    "hallpass secret generate --json | jq -r .secret",
    "hallpass secret kid        see which keys sign and verify access tokens",
);

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print a new secret for JWT_SECRET: 32 random bytes in base64url
    #[command(after_help = EXAMPLES)]
    Generate(Generate),
    /// Print id and algorithm of the keys in JWT_SIGNING_KEY and JWT_SECRET, and nothing secret
    #[command(after_help = EXAMPLES)]
    Kid(Kid),
}

#[derive(Debug, Args)]
pub(super) struct Generate {
    /// Print a new key for JWT_SIGNING_KEY instead: P-256, PKCS#8, as PEM
    #[arg(long)]
    es256: bool,
    /// Print {"secret": "…"}; with --es256 {"signingKey": "…", "kid": "…", "alg": "ES256"}
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Kid {
    /// Print [{"kid": "…", "alg": "…", "setting": "…", "signs": …, "verifies": …}, …]
    #[arg(long)]
    json: bool,
}

pub(super) fn run(
    command: &Command,
    variables: impl FnOnce() -> Result<Variables, SettingErrors>,
) -> Result<(), Failure> {
    match command {
        Command::Generate(generate) if generate.es256 => print_new_key(generate.json),
        Command::Generate(generate) => print_new_secret(generate.json),
        Command::Kid(kid) => print_kids(kid.json, &variables()?),
    }
}

fn print_new_secret(as_json: bool) -> Result<(), Failure> {
    let secret = random_secret::<32>().map_err(|error| Failure::Failed(error.to_string()))?;
    if as_json {
        output::print_json(&json!({"secret": secret.expose_secret()}))
    } else {
        output::print(secret.expose_secret())
    }
}

fn print_new_key(as_json: bool) -> Result<(), Failure> {
    let (pem, key) = new_key()?;
    if as_json {
        output::print_json(&json!({
            "signingKey": pem.expose_secret(),
            "kid": key.kid(),
            "alg": "ES256",
        }))
    } else {
        output::write(pem.expose_secret())
    }
}

/// Read back, so that what is printed is accepted.
fn new_key() -> Result<(SecretString, SigningKey), Failure> {
    let pem = signing_key::generate().map_err(|_| {
        Failure::Failed("the operating system provides no random numbers".to_owned())
    })?;
    let key = SigningKey::read_all(pem.expose_secret()).pop();
    let key = key.ok_or_else(|| Failure::Failed("no key was made".to_owned()))?;
    let key = key.map_err(|why| Failure::Failed(format!("the key {why}")))?;
    Ok((pem, key))
}

/// A configured key, without what is secret.
#[derive(Serialize)]
struct ConfiguredKey {
    kid: String,
    alg: &'static str,
    setting: &'static str,
    signs: bool,
    verifies: bool,
}

fn print_kids(as_json: bool, variables: &Variables) -> Result<(), Failure> {
    let tokens = Config::read_tokens(variables)?;
    let keys = configured_keys(&tokens)?;
    if as_json {
        return output::print_json(&keys);
    }
    output::print_table(
        ["KID", "ALG", "SETTING", "USE"],
        keys.into_iter().map(|key| {
            let used = match (key.signs, key.verifies) {
                (true, _) => "signs, verifies",
                (false, true) => "verifies",
                (false, false) => "no access tokens",
            };
            [
                key.kid,
                key.alg.to_owned(),
                key.setting.to_owned(),
                used.to_owned(),
            ]
        }),
    )
}

fn configured_keys(tokens: &Tokens) -> Result<Vec<ConfiguredKey>, Failure> {
    let secrets = Keyring::new(&tokens.secrets)
        .map_err(|error| Failure::Failed(format!("JWT_SECRET: {error}")))?;
    let secret_use = tokens.secret_use();
    let signing = tokens.signing.iter().flat_map(SigningKeys::iter);
    let signing = signing.enumerate().map(|(index, key)| ConfiguredKey {
        kid: key.kid().to_owned(),
        alg: "ES256",
        setting: "JWT_SIGNING_KEY",
        signs: index == 0 && secret_use != SecretUse::Signs,
        verifies: true,
    });
    let secrets = secrets
        .kids()
        .enumerate()
        .map(|(index, kid)| ConfiguredKey {
            kid: kid.to_owned(),
            alg: "HS256",
            setting: "JWT_SECRET",
            signs: index == 0 && secret_use == SecretUse::Signs,
            verifies: secret_use != SecretUse::Refused,
        });
    Ok(signing.chain(secrets).collect())
}
