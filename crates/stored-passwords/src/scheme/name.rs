//! The names of schemes in mapping files.

use std::fmt;
use std::str::FromStr;

use crate::refusal::Refusal;

use super::recipe::Recipe;

/// How stored passwords are read. A scheme can have several names, for systems that store alike; [`Recipe`] is for
/// tables of one's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// Texts in which one reading is possible; others are refused with the names of the schemes.
    Auto,
    /// `$argon2id$v=19$m=…,t=…,p=…$…$…`, with the parameters in any order.
    Argon2,
    /// Base64 of versions 2 and 3.
    AspNet,
    /// `$2b$…`, and the JSON of `custom_password_hash`.
    Auth0,
    /// `$2a$`, `$2b$` and `$2y$`.
    Bcrypt,
    /// `<salt>:<hash>` in hexadecimal.
    BetterAuth,
    /// By the column `password_hasher`.
    Clerk,
    /// `$1$`, `$5$`, `$6$`, `$y$`, `$2b$` of crypt(3).
    Crypt,
    /// `$2a$…`, with or without a pepper.
    Devise,
    /// Hexadecimal, with columns for salt and algorithm.
    Discourse,
    /// `pbkdf2_sha256$…` and its other hashers.
    Django,
    /// `{SSHA512}…` and its other schemes; crypt(3) without a scheme.
    Dovecot,
    /// Base64, a column for the salt, and the parameters of the project.
    Firebase,
    /// passlib's texts, with a pepper.
    FlaskSecurity,
    /// Hexadecimal, with columns for salt and algorithm.
    Gitea,
    /// Hexadecimal, with a column for the salt.
    Grafana,
    /// `$2b$…` and `$bcrypt-sha256$…` of its export, and the canonical form.
    Hallpass,
    /// The JSON of a credential.
    Keycloak,
    /// `$pbkdf2-sha256$i=…,l=…$`, `$scrypt$ln=<N>,…$`, `$firescrypt$`, `$sha256$pf=…$` and others.
    Kratos,
    /// By the column `passwordAlgorithm`; the list of `Legacy`.
    Logto,
    /// `$2b$…` of SHA-256 in hexadecimal.
    Meteor,
    /// Texts that begin with `$` and say what they are.
    Modular,
    /// `3|$argon2id$…`
    Nextcloud,
    /// `$pbkdf2-sha512$…`; old rows have the password itself.
    Odoo,
    /// `{SSHA}…` and its other schemes; the password itself without a scheme.
    OpenLdap,
    /// `$pbkdf2-sha512$25000$…` and its other hashes.
    Passlib,
    /// Hexadecimal, with a column for the salt.
    Payload,
    /// `$P$…` and `$H$…`, not trimmed.
    Phpass,
    /// `{bcrypt}…` and its other ids.
    Spring,
    /// `scrypt:32768:8:1$…` and `pbkdf2:sha256:…$…`.
    Werkzeug,
    /// `$wp$2y$…`, `$P$…`; passwords are trimmed.
    WordPress,
    /// The texts of passwap.
    Zitadel,
    /// As declared.
    Recipe(Recipe),
}

impl Scheme {
    /// All that have a name, with all of their names, the first of which `Display` shows.
    pub const ALL: &[(Self, &[&str])] = &[
        (Self::Auto, &["auto"]),
        (Self::Argon2, &["argon2"]),
        (Self::AspNet, &["aspnet"]),
        (Self::Auth0, &["auth0"]),
        (Self::Bcrypt, &["bcrypt", "bcryptjs", "strapi", "rails"]),
        (Self::BetterAuth, &["better-auth"]),
        (Self::Clerk, &["clerk"]),
        (Self::Crypt, &["crypt", "mkpasswd"]),
        (Self::Devise, &["devise"]),
        (Self::Discourse, &["discourse"]),
        (Self::Django, &["django"]),
        (Self::Dovecot, &["dovecot", "htpasswd"]),
        (Self::Firebase, &["firebase"]),
        (Self::FlaskSecurity, &["flask-security"]),
        (Self::Gitea, &["gitea", "forgejo"]),
        (Self::Grafana, &["grafana"]),
        (Self::Hallpass, &["hallpass"]),
        (Self::Keycloak, &["keycloak"]),
        (Self::Kratos, &["kratos"]),
        (Self::Logto, &["logto"]),
        (Self::Meteor, &["meteor"]),
        (
            Self::Modular,
            &[
                "php",
                "laravel",
                "symfony",
                "supabase",
                "mattermost",
                "pwdlib",
            ],
        ),
        (Self::Nextcloud, &["nextcloud"]),
        (Self::Odoo, &["odoo"]),
        (Self::OpenLdap, &["openldap", "ldap"]),
        (Self::Passlib, &["passlib"]),
        (Self::Payload, &["payload"]),
        (Self::Phpass, &["phpass"]),
        (Self::Spring, &["spring"]),
        (Self::Werkzeug, &["werkzeug"]),
        (Self::WordPress, &["wordpress"]),
        (Self::Zitadel, &["zitadel"]),
    ];

    /// Whether the old system's secret goes into these hashes.
    pub(super) fn takes_pepper(&self) -> bool {
        matches!(
            self,
            Self::Devise | Self::FlaskSecurity | Self::Clerk | Self::Nextcloud
        )
    }
}

impl FromStr for Scheme {
    type Err = Refusal;

    /// A name, or else a [`Recipe`].
    fn from_str(text: &str) -> Result<Self, Refusal> {
        let named = Self::ALL.iter().find(|(_, names)| names.contains(&text));
        match named {
            Some((scheme, _)) => Ok(scheme.clone()),
            None if text.contains('(') => text.parse().map(Self::Recipe),
            None => Err(Refusal::NoScheme),
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Recipe(recipe) = self {
            return recipe.fmt(f);
        }
        let named = Self::ALL.iter().find(|(scheme, _)| scheme == self);
        f.write_str(
            named
                .and_then(|(_, names)| names.first())
                .unwrap_or(&"auto"),
        )
    }
}
