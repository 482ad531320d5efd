//! Translation of what other systems store into the canonical form.
//!
//! A [`Scheme`] fixes how a text is read: which encodings its fields have, and which steps were done before its
//! function.
//! [`Scheme::Auto`] takes only texts that say this themselves.

mod aspnet;
mod auth0;
mod auto;
mod bcrypt;
mod better_auth;
mod braces;
mod clerk;
mod columns;
mod crypt;
mod digests;
mod django;
mod firebase;
mod hallpass;
mod json;
mod keycloak;
mod kratos;
mod logto;
mod modular;
mod name;
mod nameless;
mod nextcloud;
mod passlib;
mod phc;
mod reading;
mod recipe;
mod spring;
mod stored;
mod text;
mod werkzeug;
mod wordpress;

use crate::hash_function::HashFunction;
use crate::imported_hash::ImportedHash;
use crate::pepper::PepperName;
use crate::primitives::at_most;
use crate::refusal::Refusal;
use crate::step::Step;

pub use name::Scheme;
pub use recipe::Recipe;
pub use stored::{Password, Project, Stored};

use reading::Reading;

/// Longer than anything that a system stores for a password.
const MOST_TEXT: u64 = 16 * 1024;

/// Of the columns of one row, in a time that depends on their length alone.
///
/// # Errors
/// `Ambiguous` and `Undeclared` name what can be declared; `Missing` names what must be mapped; `Readable` and
/// `Unsupported` are decisions; others as [`ImportedHash::new`](crate::ImportedHash::new).
pub fn translate(scheme: &Scheme, stored: &Stored<'_>) -> Result<Password, Refusal> {
    let text = stored.hash.trim_matches(|c: char| c.is_ascii_whitespace());
    for column in [Some(text), stored.salt, stored.algorithm] {
        let length = column.unwrap_or_default().len() as u64;
        at_most("characters", length, MOST_TEXT)?;
    }
    if stored::is_marker(text) || behind_crypt(text).is_some_and(stored::is_marker) {
        return Ok(Password::None);
    }
    if stored.pepper.is_some() && !scheme.takes_pepper() {
        return Err(Refusal::Unsupported("a pepper in this scheme"));
    }
    if *scheme == Scheme::Hallpass && text.starts_with("$in$") {
        return ImportedHash::parse(text).map(Password::Hash);
    }
    read(scheme, text, stored)?.hash().map(Password::Hash)
}

/// `{CRYPT}*`, `{CRYPT}!…` and `{CRYPT}x` are as shadow's.
fn behind_crypt(text: &str) -> Option<&str> {
    let (name, value) = braces::named(text)?;
    name.eq_ignore_ascii_case("CRYPT").then_some(value)
}

fn read(scheme: &Scheme, text: &str, stored: &Stored<'_>) -> Result<Reading, Refusal> {
    match scheme {
        Scheme::Auto => auto::auto(text, stored),
        Scheme::Argon2 => phc::argon2(text),
        Scheme::AspNet => aspnet::aspnet(text),
        Scheme::Auth0 => auth0::auth0(text),
        Scheme::Bcrypt => bcrypt::bcrypt(text),
        Scheme::BetterAuth => better_auth::better_auth(text),
        Scheme::Clerk => clerk::clerk(text, stored),
        Scheme::Crypt => modular::crypt_text(text),
        Scheme::Devise => devise(text, stored.pepper),
        Scheme::Discourse => columns::discourse(text, stored),
        Scheme::Django => django::django(text),
        Scheme::Dovecot => dovecot(text),
        Scheme::Firebase => firebase::firebase(text, stored),
        Scheme::FlaskSecurity => flask_security(text, stored.pepper),
        Scheme::Gitea => columns::gitea(text, stored),
        Scheme::Grafana => columns::grafana(text, stored),
        Scheme::Hallpass => hallpass::hallpass(text),
        Scheme::Keycloak => keycloak::keycloak(text, stored.algorithm),
        Scheme::Kratos => kratos::kratos(text),
        Scheme::Logto => logto::logto(text, stored),
        Scheme::Meteor => Ok(modular::modular(text)?.after([Step::Hex(HashFunction::Sha256)])),
        Scheme::Modular => modular::modular(text),
        Scheme::Nextcloud => nextcloud::nextcloud(text, stored.pepper),
        Scheme::Odoo => or_readable(text, '$', passlib::passlib),
        Scheme::OpenLdap => or_readable(text, '{', braces::braces),
        Scheme::Passlib => passlib::passlib(text),
        Scheme::Payload => columns::payload(text, stored),
        Scheme::Phpass => crypt::phpass(text),
        Scheme::Spring => spring::spring(text),
        Scheme::Werkzeug => werkzeug::werkzeug(text),
        Scheme::WordPress => wordpress::wordpress(text),
        Scheme::Zitadel => zitadel(text),
        Scheme::Recipe(recipe) => recipe.read(text, stored),
    }
}

/// Devise appends its pepper, which counts in the 72 bytes of bcrypt.
/// <https://github.com/heartcombo/devise/blob/main/lib/devise/encryptor.rb>
fn devise(text: &str, pepper: Option<&PepperName>) -> Result<Reading, Refusal> {
    let steps = pepper.map(|name| Step::Pepper(name.clone()));
    Ok(bcrypt::bcrypt(text)?.after(steps))
}

/// Flask-Security keys a digest with `SECURITY_PASSWORD_SALT`, except for the hashers of Django.
/// <https://flask-security-too.readthedocs.io/en/stable/configuration.html>
fn flask_security(text: &str, pepper: Option<&PepperName>) -> Result<Reading, Refusal> {
    if !text.starts_with('$') {
        return django::django(text);
    }
    let pepper = pepper.ok_or(Refusal::Missing("a pepper, `SECURITY_PASSWORD_SALT`"))?;
    let steps = [Step::Nfkd, Step::Hmac512(pepper.clone())];
    Ok(passlib::passlib(text)?.after(steps))
}

/// `default_pass_scheme` is crypt(3), as in a file of htpasswd.
fn dovecot(text: &str) -> Result<Reading, Refusal> {
    match text.starts_with('{') {
        true => braces::braces(text),
        false => modular::crypt_text(text),
    }
}

/// What does not begin like a hash is the password itself for Odoo and OpenLDAP.
fn or_readable(
    text: &str,
    first: char,
    read: impl Fn(&str) -> Result<Reading, Refusal>,
) -> Result<Reading, Refusal> {
    match text.starts_with(first) {
        true => read(text),
        false => Err(Refusal::Readable),
    }
}

/// Zitadel writes scrypt like passlib. <https://github.com/zitadel/passwap>
fn zitadel(text: &str) -> Result<Reading, Refusal> {
    match text.starts_with('$') {
        true => passlib::passlib(text),
        false => Err(Refusal::Undeclared),
    }
}
