//! What producers stored is translated, and verifies; or is refused by a decision that stands here.
#![expect(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, thread};

use serde::Deserialize;
use stored_passwords::{
    ImportedHash, Password, PepperName, Peppers, Project, Refusal, Scheme, Stored, translate,
};
use zeroize::Zeroizing;

#[derive(Deserialize, Clone)]
struct Vector {
    package: String,
    format: String,
    case: String,
    /// Only where the format does not tell it.
    scheme: Option<String>,
    password: String,
    stored: String,
    #[serde(default)]
    extra: Extra,
}

/// What stands in other columns, or is the same for all rows.
#[derive(Deserialize, Default, Clone)]
#[serde(rename_all = "camelCase")]
struct Extra {
    salt: Option<String>,
    algorithm: Option<String>,
    pepper: Option<String>,
    mem_cost: Option<u32>,
    rounds: Option<u32>,
    salt_separator: Option<String>,
    signer_key: Option<String>,
}

/// The schemes of the formats in `vectors/studied`.
const SCHEMES: &[(&str, &str)] = &[
    ("aspnet", "aspnet"),
    ("argon2", "argon2"),
    ("apr_md5_crypt", "htpasswd"),
    ("bcrypt", "bcrypt"),
    ("better-auth", "better-auth"),
    ("crypt", "crypt"),
    ("devise", "devise"),
    ("discourse", "discourse"),
    ("django", "django"),
    ("dovecot", "dovecot"),
    ("firebase", "firebase"),
    ("flask-security", "flask-security"),
    ("gitea", "gitea"),
    ("gotrue", "supabase"),
    ("grafana", "grafana"),
    ("htpasswd {SHA}", "htpasswd"),
    ("htpasswd", "crypt"),
    ("keycloak", "keycloak"),
    ("kratos", "kratos"),
    ("ldap", "openldap"),
    ("mattermost", "mattermost"),
    ("md5_crypt", "crypt"),
    ("meteor", "meteor"),
    ("nextcloud", "nextcloud"),
    ("openldap", "openldap"),
    ("passlib", "passlib"),
    ("payload", "payload"),
    ("phc", "auto"),
    ("phpass", "phpass"),
    ("sha1_crypt", "crypt"),
    ("sha256_crypt", "crypt"),
    ("sha512_crypt", "crypt"),
    ("spring", "spring"),
    ("werkzeug", "werkzeug"),
    ("wordpress", "wordpress"),
];

impl Vector {
    fn scheme(&self) -> Scheme {
        let of_format = || {
            let found = SCHEMES
                .iter()
                .find(|(start, _)| self.format.starts_with(start));
            found.map(|(_, scheme)| *scheme)
        };
        // WordPress's own class trims, the portable hash of phpass does not.
        let name = match self.package.starts_with("PHP") && self.format == "phpass" {
            true => Some("wordpress"),
            false => self.scheme.as_deref().or_else(of_format),
        };
        let name = name.unwrap_or_else(|| panic!("{} has no scheme", self.format));
        name.parse()
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn project(&self) -> Option<Project> {
        Some(Project {
            signer_key: self.extra.signer_key.clone()?,
            salt_separator: self.extra.salt_separator.clone()?,
            rounds: self.extra.rounds?,
            mem_cost: self.extra.mem_cost?,
        })
    }

    fn translate(&self, scheme: &Scheme) -> Result<Password, Refusal> {
        let (project, pepper) = (self.project(), pepper());
        let stored = Stored {
            hash: &self.stored,
            salt: self.extra.salt.as_deref(),
            algorithm: self.extra.algorithm.as_deref(),
            pepper: self.extra.pepper.as_ref().map(|_| &pepper),
            project: project.as_ref(),
        };
        translate(scheme, &stored)
    }

    fn peppers(&self) -> Peppers {
        let secret = self.extra.pepper.iter();
        secret
            .map(|secret| (pepper(), Zeroizing::new(secret.as_bytes().to_vec())))
            .collect()
    }

    fn verifies(&self, hash: &ImportedHash) -> Result<(), String> {
        let peppers = self.peppers();
        // Another first character, since old functions ignore what is beyond the 72nd byte.
        let wrong = format!("!{}", self.password.chars().skip(1).collect::<String>());
        let is_right = hash.verify(&self.password, &peppers) && !hash.verify(&wrong, &peppers);
        let is_canonical = ImportedHash::parse(&hash.to_string()).as_ref() == Ok(hash);
        match is_right && is_canonical {
            true => Ok(()),
            false => Err(format!(
                "{}, {}, {}: {} is {hash}, which is right {is_right}, canonical {is_canonical}",
                self.package, self.format, self.case, self.stored
            )),
        }
    }
}

fn pepper() -> PepperName {
    "old_app".parse().unwrap()
}

fn vectors(folder: &str) -> Vec<Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(folder);
    let mut vectors = Vec::new();
    for file in fs::read_dir(&folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        vectors.extend(serde_json::from_str::<Vec<Vector>>(&text).unwrap());
    }
    assert!(!vectors.is_empty(), "{folder:?}");
    vectors
}

/// What is refused, for a reason that the sentence begins with.
const REFUSED: &[(&str, &str)] = &[
    ("crypt descrypt", "crypt(3) with DES"),
    ("crypt gost-yescrypt", "gost-yescrypt"),
    ("crypt nt", "the NT hash"),
    ("crypt scrypt", "scrypt in the form `$7$`"),
    ("crypt sunmd5", "SunMD5"),
    ("htpasswd des", "crypt(3) with DES"),
    ("sha1_crypt", "sha1crypt"),
    (
        "argon2 with data",
        "the stored password is malformed: a parameter is unknown",
    ),
    ("mkpasswd gost-yescrypt", "gost-yescrypt"),
    ("mkpasswd scrypt", "scrypt in the form `$7$`"),
    ("mkpasswd sunmd5", "SunMD5"),
    ("mkpasswd descrypt", "crypt(3) with DES"),
    ("mkpasswd bsdicrypt", "crypt(3) with DES"),
    ("mkpasswd nt", "the NT hash"),
    ("yescrypt /", "yescrypt in another flavour"),
    ("htpasswd -d", "crypt(3) with DES"),
    ("crypt $2x$", "bcrypt in the faulty version"),
    ("SCRAM-SHA-1", "SCRAM-SHA-1"),
    ("DES-CRYPT", "crypt(3) with DES"),
    ("CLEAR", "the password is stored so that it can be read"),
    ("PLAIN", "the password is stored so that it can be read"),
    ("CLEARTEXT", "the password is stored so that it can be read"),
    (
        "PLAIN-TRUNC",
        "the password is stored so that it can be read",
    ),
    ("CLEAR.b64", "the password is stored so that it can be read"),
    ("PLAIN-MD4", "MD4"),
    ("CRAM-MD5", "a hash for challenges with MD5"),
    ("HMAC-MD5", "a hash for challenges with MD5"),
    ("DIGEST-MD5", "a hash for challenges with MD5"),
    ("OTP", "a one-time password"),
    ("ldap_des_crypt", "crypt(3) with DES"),
    ("des_crypt", "crypt(3) with DES"),
    ("bsdi_crypt", "crypt(3) with DES"),
    ("bigcrypt", "the form of the stored password is unknown"),
    ("crypt16", "the form of the stored password is unknown"),
    ("sha1_crypt", "sha1crypt"),
    ("sun_md5_crypt", "SunMD5"),
    ("bsd_nthash", "the NT hash"),
    ("nthash", "a digest does not say how it was made"),
    ("lmhash", "a digest does not say how it was made"),
    ("hex_md4", "a digest does not say how it was made"),
    ("hex_md5", "a digest does not say how it was made"),
    ("hex_sha1", "a digest does not say how it was made"),
    ("hex_sha256", "a digest does not say how it was made"),
    ("hex_sha512", "a digest does not say how it was made"),
    ("mssql2000", "the form of the stored password is unknown"),
    ("mssql2005", "the form of the stored password is unknown"),
    ("mysql323", "the form of the stored password is unknown"),
    ("mysql41", "MySQL's `PASSWORD()`"),
    ("oracle11", "the form of the stored password is unknown"),
    ("plaintext", "the form of the stored password is unknown"),
    (
        "ldap_plaintext",
        "the form of the stored password is unknown",
    ),
    (
        "roundup_plaintext",
        "the password is stored so that it can be read",
    ),
    ("scram", "passlib's `$scram$`"),
    ("fshp", "FSHP"),
    ("plain", "the password is stored so that it can be read"),
    ("pbkdf2:sha224:9", "a digest other than"),
    ("pbkdf2:md5:9", "PBKDF2 with MD5"),
    ("{noop}", "the password is stored so that it can be read"),
    ("md4", "a digest other than"),
    ("credential", "the form of the stored password is unknown"),
];

/// Markers of no password.
const NONE: &[&str] = &["unusable", "django_disabled"];

/// What is wrong with a vector.
fn check(vector: &Vector) -> Result<(), String> {
    let found = vector.translate(&vector.scheme());
    let named = format!("{}, {}: {}", vector.package, vector.format, vector.stored);
    let refused = REFUSED.iter().find(|(format, _)| *format == vector.format);
    match (found, refused) {
        (Ok(Password::None), None) if NONE.contains(&vector.format.as_str()) => Ok(()),
        (Ok(Password::Hash(hash)), None) => vector.verifies(&hash),
        (Err(refusal), Some((_, reason))) if refusal.to_string().starts_with(reason) => Ok(()),
        (found, refused) => Err(format!("{named}: {found:?}, and not {refused:?}")),
    }
}

/// On all processors.
fn check_all(vectors: &[Vector]) {
    let threads = thread::available_parallelism().unwrap().get();
    let faults: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|first| {
                let share = vectors.iter().skip(first).step_by(threads);
                scope.spawn(|| share.filter_map(|vector| check(vector).err()).collect())
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| -> Vec<String> { worker.join().unwrap() })
            .collect()
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn what_the_studied_producers_stored_verifies_or_is_refused_by_decision() {
    let vectors = vectors("studied");
    assert_eq!(vectors.len(), 429);
    check_all(&vectors);
}

#[test]
fn other_parameters_of_the_same_producers_verify_or_are_refused() {
    check_all(&vectors("made"));
}

/// Formats whose texts say less than was done: pre-steps, or a trimmed password.
const SILENT: &[&str] = &["devise", "flask-security", "meteor", "wordpress"];

#[test]
fn automatic_readings_are_those_of_the_declared_scheme() {
    let mut read = BTreeSet::new();
    let studied = vectors("studied").into_iter();
    for vector in studied.chain(vectors("made")) {
        let scheme = vector.scheme();
        let silent = SILENT.contains(&scheme.to_string().as_str());
        let has_pepper = vector.extra.pepper.is_some();
        if silent || has_pepper || matches!(scheme, Scheme::Recipe(_)) {
            continue;
        }
        let automatic = vector.translate(&Scheme::Auto);
        if let Ok(found) = automatic {
            let named = format!("{}, {}: {}", vector.package, vector.format, vector.stored);
            assert_eq!(Ok(found), vector.translate(&scheme), "{named}");
            read.insert(scheme.to_string());
        }
    }
    let expected = [
        "argon2",
        "aspnet",
        "auth0",
        "bcrypt",
        "crypt",
        "django",
        "keycloak",
        "kratos",
        "openldap",
        "dovecot",
        "logto",
        "nextcloud",
        "passlib",
        "payload",
        "php",
        "spring",
        "werkzeug",
    ];
    for scheme in expected {
        assert!(read.contains(scheme), "none of {scheme} in {read:?}");
    }
}
