//! The fields of a mapping: `email = "mail"`, or `email = { from = "mail", … }` with what else can be said.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use stored_passwords::{PepperName, Scheme};

use super::format::{DateFormat, Zone};
use super::pepper;
use super::source::{Field, Source, field};
use crate::candidate::{ManagerBy, Role};

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident { $($(#[$of_key:meta])* $key:ident: $kind:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Deserialize)]
        #[serde(remote = "Self", deny_unknown_fields)]
        pub struct $name {
            #[serde(default)]
            pub from: Source,
            /// Whether the column may be missing altogether.
            #[serde(default)]
            pub optional: bool,
            $($(#[$of_key])* #[serde(default)] pub $key: $kind,)*
        }

        impl<'de> Field<'de> for $name {
            fn from_source(from: Source) -> Self {
                Self { from, ..Self::default() }
            }

            fn from_table<D: Deserializer<'de>>(table: D) -> Result<Self, D::Error> {
                Self::deserialize(table)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                field(deserializer)
            }
        }
    )*};
}

fields! {
    ExternalId {}

    Email {
        /// Whether the address is put into lower case.
        fold: Fold,
    }

    Verified {
        when: When,
    }

    /// `first+last` joins two columns, `email-local` is what stands before the `@`.
    Name {}

    Created {
        /// Overrides `format.date`.
        date: Option<DateFormat>,
        /// Overrides `format.zone`.
        zone: Option<Zone>,
    }

    Disabled {
        when: When,
        /// For a column that says who is active.
        invert: bool,
    }

    Password {
        #[serde(deserialize_with = "pepper::scheme")]
        scheme: Option<Scheme>,
        /// A column of its own.
        salt: Option<Source>,
        /// A column that says what computed the hash.
        algorithm: Option<Source>,
    }

    Organization {
        /// Whether an organization that does not exist is created.
        create: bool,
        /// A column with the name of one that is created, if `from` is its slug.
        name: Option<Source>,
        #[serde(rename = "else", alias = "value")]
        otherwise: Option<String>,
    }

    /// Without a map the values are our roles. Of several roles the most powerful counts.
    RoleField {
        /// `*` is any other value.
        map: Option<BTreeMap<String, Role>>,
        #[serde(rename = "else", alias = "value")]
        otherwise: Option<Role>,
    }

    ManagerField {
        by: By,
    }

    SlackUser {}

    SlackTeam {
        #[serde(rename = "else", alias = "value")]
        otherwise: Option<String>,
    }

    Secret {
        encoding: Encoding,
        decrypt: Option<Decrypt>,
    }

    TotpParameter {}

    Codes {
        decrypt: Option<Decrypt>,
    }
}

/// Whether addresses are put into lower case: yes, unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Fold(pub bool);

impl Default for Fold {
    fn default() -> Self {
        Self(true)
    }
}

/// What a column must hold for the answer "yes".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// A boolean, or a date; nothing and `null` are "no".
    #[default]
    TrueOrDate,
    /// Anything but nothing. A boolean is refused.
    NotNull,
    /// A boolean.
    True,
    Always,
    Never,
    /// A list of addresses with that of the person in it.
    ContainsEmail,
    /// A date that is yet to come.
    InFuture,
}

/// What names a manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct By(pub ManagerBy);

impl Default for By {
    fn default() -> Self {
        Self(ManagerBy::Email)
    }
}

/// How the key of an authenticator is written. `otpauth://` and `otpauth-migration://` are known in any of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encoding {
    Fixed(SecretEncoding),
    /// A column says it.
    From {
        from: Source,
        otherwise: SecretEncoding,
    },
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretEncoding {
    /// RFC 4648: any case, spaces, with or without padding.
    #[default]
    Base32,
    Hex,
    /// The characters are the key.
    Text,
}

impl Default for Encoding {
    fn default() -> Self {
        Self::Fixed(SecretEncoding::Base32)
    }
}

impl<'de> Deserialize<'de> for Encoding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "`encoding` is base32, hex, text, or { from = \"column\", else = \"text\" }"
        )]
        enum Either {
            Fixed(SecretEncoding),
            From(FromColumn),
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct FromColumn {
            from: Source,
            #[serde(default, rename = "else")]
            otherwise: SecretEncoding,
        }
        Ok(match Either::deserialize(deserializer)? {
            Either::Fixed(encoding) => Self::Fixed(encoding),
            Either::From(FromColumn { from, otherwise }) => Self::From { from, otherwise },
        })
    }
}

/// A column that the other system encrypts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decrypt {
    pub scheme: Cipher,
    /// The secret is the value of `HALLPASS_IMPORT_PEPPER_<NAME>`.
    #[serde(deserialize_with = "pepper::name")]
    pub name: PepperName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cipher {
    /// XChaCha20-Poly1305 under the SHA-256 of the secret; the nonce comes first, in hexadecimal.
    BetterAuth,
}
