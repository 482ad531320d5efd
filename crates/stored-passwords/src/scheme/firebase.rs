//! Firebase's scrypt, in the forms of all who have taken it over.

use crate::kdf::Kdf;
use crate::primitives::firebase::Firebase;
use crate::refusal::Refusal;

use super::reading::Reading;
use super::stored::Stored;
use super::text::{base64_of_either_alphabet, fields, number, numbers, parameters, required};

/// Of an export of `firebase auth:export`, with the project's parameters.
pub(super) fn firebase(text: &str, stored: &Stored<'_>) -> Result<Reading, Refusal> {
    let salt = stored
        .salt
        .ok_or(Refusal::Missing("the column with the salt"))?;
    let project = stored.project.ok_or(Refusal::Missing(
        "the hash parameters of the Firebase project",
    ))?;
    Fields {
        log_n: project.mem_cost,
        rounds: project.rounds,
        salt,
        separator: &project.salt_separator,
        signer_key: &project.signer_key,
        output: text,
    }
    .reading()
}

/// GoTrue's `$fbscrypt$v=1,n=14,r=8,p=1,ss=<separator>,sk=<signer key>$<salt>$<hash>`.
pub(super) fn of_gotrue(text: &str) -> Result<Reading, Refusal> {
    let ["", "fbscrypt", costs, salt, output] = fields(text, '$')? else {
        return Err(Refusal::Malformed("a hash begins with `$fbscrypt$`"));
    };
    let values = parameters(costs, ["v", "n", "r", "p", "ss", "sk"])?;
    let [Some("1"), log_n, rounds, Some("1"), separator, signer_key] = values else {
        return Err(Refusal::Malformed("`$fbscrypt$` has `v=1` and `p=1`"));
    };
    Fields {
        log_n: number(required(log_n)?)?,
        rounds: number(required(rounds)?)?,
        salt,
        separator: required(separator)?,
        signer_key: required(signer_key)?,
        output,
    }
    .reading()
}

/// Kratos's `$firescrypt$ln=14,r=8,p=1$<salt>$<hash>$<separator>$<signer key>`.
pub(super) fn of_kratos(text: &str) -> Result<Reading, Refusal> {
    let ["", "firescrypt", costs, salt, output, separator, signer_key] = fields(text, '$')? else {
        return Err(Refusal::Malformed("a hash begins with `$firescrypt$`"));
    };
    let [log_n, rounds, 1] = numbers(costs, ["ln", "r", "p"])? else {
        return Err(Refusal::Malformed("`$firescrypt$` has `p=1`"));
    };
    Fields {
        log_n,
        rounds,
        salt,
        separator,
        signer_key,
        output,
    }
    .reading()
}

/// Clerk's `<hash>$<salt>$<signer key>$<separator>$<rounds>$<memory cost>`.
pub(super) fn of_clerk(text: &str) -> Result<Reading, Refusal> {
    let [output, salt, signer_key, separator, rounds, log_n] = fields(text, '$')?;
    Fields {
        log_n: number(log_n)?,
        rounds: number(rounds)?,
        salt,
        separator,
        signer_key,
        output,
    }
    .reading()
}

/// Logto's list of salt, signer key, separator, rounds and memory cost.
pub(super) fn of_logto(arguments: &[&str], output: &str) -> Result<Reading, Refusal> {
    let [salt, signer_key, separator, rounds, log_n, ..] = arguments else {
        return Err(Refusal::Malformed(
            "an argument of Logto's firebase-scrypt is missing",
        ));
    };
    Fields {
        log_n: number(log_n)?,
        rounds: number(rounds)?,
        salt,
        separator,
        signer_key,
        output,
    }
    .reading()
}

/// All bytes in base64: Firebase's API writes that for URLs, its command line the usual one.
struct Fields<'a> {
    log_n: u32,
    rounds: u32,
    salt: &'a str,
    separator: &'a str,
    signer_key: &'a str,
    output: &'a str,
}

impl Fields<'_> {
    fn reading(self) -> Result<Reading, Refusal> {
        let kdf = Firebase {
            log_n: self.log_n,
            rounds: self.rounds,
            salt: base64_of_either_alphabet(self.salt)?,
            separator: base64_of_either_alphabet(self.separator)?,
            signer_key: base64_of_either_alphabet(self.signer_key)?,
        };
        let output = base64_of_either_alphabet(self.output)?;
        Ok(Reading::new(Kdf::Firebase(kdf), output))
    }
}
