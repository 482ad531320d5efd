//! Why a stored password is not taken.

/// Each says what to do; none contains the hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not in the form that its beginning promises.
    #[error(
        "the stored password is malformed: {0}; check the mapping, or ask the person to set a new password"
    )]
    Malformed(&'static str),
    /// Nothing here begins like this.
    #[error(
        "the form of the stored password is unknown; name its scheme, or ask the person to set a new password"
    )]
    Unknown,
    /// Computing it would take too long or too much memory.
    #[error(
        "{what}: {found} is stored, and at most {most} is accepted; ask the person to set a new password"
    )]
    TooExpensive {
        /// The parameter, or a product of parameters.
        what: &'static str,
        /// What it has.
        found: u64,
        /// The limit.
        most: u64,
    },
    /// So little is stored that a wrong password could match, or that it protects nothing.
    #[error(
        "{what}: {found} is stored, and at least {least} is needed; ask the person to set a new password"
    )]
    TooLittle {
        /// The parameter.
        what: &'static str,
        /// What it has.
        found: u64,
        /// The limit.
        least: u64,
    },
    /// Known, and not computed here on purpose.
    #[error("{0} is not accepted; ask the person to set a new password")]
    Unsupported(&'static str),
    /// The password itself, or something that can be turned back into it.
    #[error("the password is stored so that it can be read; ask the person to set a new one")]
    Readable,
    /// A digest that does not say what it was computed from.
    #[error(
        "a digest does not say how it was made; declare it, for example as `sha256(salt + password)`, or ask the \
         person to set a new password"
    )]
    Undeclared,
    /// More than one system writes such texts.
    #[error("{0} read this differently; name the scheme in the mapping")]
    Ambiguous(&'static str),
    /// The mapping says too little.
    #[error("the scheme needs {0}; add it to the mapping")]
    Missing(&'static str),
    /// Nothing is called so.
    #[error("there is no such scheme; `docs/moving-in/passwords.md` lists them")]
    NoScheme,
}
