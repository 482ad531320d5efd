//! Declared recipes: for tables of one's own, in which the hash does not say how it was made.

mod expression;

use std::fmt;
use std::str::FromStr;

use crate::hash_function::HashFunction;
use crate::kdf::Kdf;
use crate::primitives::digest::Part;
use crate::primitives::scrypt::Scrypt;
use crate::refusal::Refusal;
use crate::step::Step;

use super::digests;
use super::modular::modular;
use super::phc::pbkdf2_of;
use super::reading::Reading;
use super::stored::Stored;
use super::text::{base64_of_either_alphabet, hex};
use expression::{Expression, expression};

/// `sha256(salt + password)`, `pbkdf2-sha512(password, salt, 210000)`, `scrypt(password, salt, 16384, 8, 1)`,
/// `hmac-sha256(salt, password)` or `bcrypt(md5(password))`.
///
/// - What is digested are parts joined by `+`: `password`, `salt`, and `'text'` that is the same for everybody.
/// - A number behind the parts is how often that is done: with the digest, or with all parts again if `previous`, the
///   digest before, is among them: `sha512(previous + password + '{' + salt + '}', 5000) base64` is Symfony's.
/// - In the place of `password` there can be a digest of it in hexadecimal: `sha1(salt + sha1(password))`.
/// - `hex(salt)` and `base64(salt)` are the bytes that the salt's text stands for; `salt` is the text itself.
/// - `salt:hash` or `hash:salt` in front, with `:`, `$`, `.`, `|` or `,` between them, says that one column has both.
/// - `hex` or `base64` at the end is the encoding of the hash. It can be left out for digests and HMACs, whose length
///   tells it, and is `hex` otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    text: String,
    layout: Layout,
    steps: Vec<Step>,
    function: Function,
    encoding: Option<TextEncoding>,
}

/// Where the salt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Column,
    SaltFirst(char),
    HashFirst(char),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextEncoding {
    Hex,
    Base64,
}

/// What the salt's text stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Salt {
    Text,
    Encoded(TextEncoding),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Function {
    /// The salt is among the parts, or there is none.
    Digest {
        function: HashFunction,
        iterations: u32,
        parts: Vec<Part>,
        salt: Salt,
    },
    Hmac(HashFunction, Salt),
    Pbkdf2(HashFunction, u32, Salt),
    Scrypt {
        log_n: u32,
        r: u32,
        p: u32,
        salt: Salt,
    },
    /// A text that says itself what it is.
    Modular,
}

impl TextEncoding {
    fn decode(self, text: &str) -> Result<Vec<u8>, Refusal> {
        match self {
            Self::Hex => hex(text),
            Self::Base64 => base64_of_either_alphabet(text),
        }
    }
}

impl Recipe {
    pub(super) fn read(&self, text: &str, stored: &Stored<'_>) -> Result<Reading, Refusal> {
        let (hash, salt) = self.layout.split(text, stored.salt)?;
        let output = |function: Option<HashFunction>| match (self.encoding, function) {
            (Some(encoding), _) => encoding.decode(hash),
            (None, Some(function)) => super::text::digest(function, hash),
            (None, None) => hex(hash),
        };
        let salt = |form: &Salt| {
            let salt = salt.ok_or(Refusal::Missing("the column with the salt"))?;
            match form {
                Salt::Text => Ok(salt.as_bytes().to_vec()),
                Salt::Encoded(encoding) => encoding.decode(salt),
            }
        };
        let reading = match &self.function {
            Function::Digest {
                function,
                iterations,
                parts,
                salt: form,
            } => {
                let salt = match parts.contains(&Part::Salt) {
                    true => salt(form)?,
                    false => Vec::new(),
                };
                let output = output(Some(*function))?;
                digests::repeated(*function, *iterations, parts.clone(), salt, output)
            }
            Function::Hmac(function, form) => {
                digests::hmac(*function, &salt(form)?, output(Some(*function))?)
            }
            Function::Pbkdf2(function, iterations, form) => {
                pbkdf2_of(*function, *iterations, salt(form)?, output(None)?)
            }
            Function::Scrypt {
                log_n,
                r,
                p,
                salt: form,
            } => {
                let kdf = Scrypt {
                    log_n: *log_n,
                    r: *r,
                    p: *p,
                    salt: salt(form)?,
                };
                Reading::new(Kdf::Scrypt(kdf), output(None)?)
            }
            Function::Modular => modular(hash)?,
        };
        Ok(reading.after(self.steps.clone()))
    }
}

impl Layout {
    /// The hash, and the salt if there is one.
    fn split<'a>(
        self,
        text: &'a str,
        column: Option<&'a str>,
    ) -> Result<(&'a str, Option<&'a str>), Refusal> {
        let separator = match self {
            Self::Column => return Ok((text, column)),
            Self::SaltFirst(separator) | Self::HashFirst(separator) => separator,
        };
        let both = match self {
            Self::SaltFirst(_) => text.rsplit_once(separator).map(|(salt, hash)| (hash, salt)),
            _ => text.split_once(separator),
        };
        let (hash, salt) = both.ok_or(Refusal::Malformed("hash and salt are not in one column"))?;
        Ok((hash, Some(salt)))
    }

    fn parse(text: &str) -> Option<Self> {
        let of = |rest: &str, other: &str| {
            let separator = rest.strip_suffix(other)?.parse().ok()?;
            SEPARATORS.contains(separator).then_some(separator)
        };
        let salt_first = text.strip_prefix("salt").and_then(|rest| of(rest, "hash"));
        let hash_first = text.strip_prefix("hash").and_then(|rest| of(rest, "salt"));
        salt_first
            .map(Self::SaltFirst)
            .or(hash_first.map(Self::HashFirst))
    }
}

const SEPARATORS: &str = ":$.|,";

impl FromStr for Recipe {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let whole = text.trim();
        let (layout, rest) = match whole.split_once(' ') {
            Some((first, rest)) if Layout::parse(first).is_some() => {
                (Layout::parse(first).unwrap_or(Layout::Column), rest)
            }
            _ => (Layout::Column, whole),
        };
        let (rest, encoding) = match rest.trim().rsplit_once(' ') {
            Some((rest, "hex")) => (rest, Some(TextEncoding::Hex)),
            Some((rest, "base64")) => (rest, Some(TextEncoding::Base64)),
            _ => (rest, None),
        };
        let (function, steps) = function_of(&expression(rest)?)?;
        Ok(Self {
            text: whole.to_owned(),
            layout,
            steps,
            function,
            encoding,
        })
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

const MALFORMED: Refusal = Refusal::Malformed(
    "a recipe is like `sha256(salt + password)`, `hmac-sha256(salt, password)`, \
     `pbkdf2-sha512(password, salt, 210000)`, `scrypt(password, salt, 16384, 8, 1)` or `bcrypt(md5(password))`",
);

fn function_of(expression: &Expression<'_>) -> Result<(Function, Vec<Step>), Refusal> {
    let Expression::Call(name, arguments) = expression else {
        return Err(MALFORMED);
    };
    if let Some(function) = name.strip_prefix("hmac-") {
        let [key, password] = arguments.as_slice() else {
            return Err(MALFORMED);
        };
        let function = Function::Hmac(named(function)?, salt_of(only(key)?)?);
        return Ok((function, steps_of(only(password)?)?));
    }
    if let Some(function) = name.strip_prefix("pbkdf2-") {
        let [password, salt, iterations] = arguments.as_slice() else {
            return Err(MALFORMED);
        };
        let function = Function::Pbkdf2(
            named(function)?,
            only(iterations)?.number().ok_or(MALFORMED)?,
            salt_of(only(salt)?)?,
        );
        return Ok((function, steps_of(only(password)?)?));
    }
    match (*name, arguments.as_slice()) {
        ("scrypt", [password, salt, n, r, p]) => {
            let numbers = [n, r, p].map(|number| only(number).ok()?.number());
            let [Some(n), Some(r), Some(p)] = numbers else {
                return Err(MALFORMED);
            };
            let function = Function::Scrypt {
                log_n: super::text::log_of(&n.to_string())?,
                r,
                p,
                salt: salt_of(only(salt)?)?,
            };
            Ok((function, steps_of(only(password)?)?))
        }
        ("bcrypt" | "argon2", [password]) => Ok((Function::Modular, steps_of(only(password)?)?)),
        (_, [parts]) => digest(named(name)?, 1, parts),
        (_, [parts, iterations]) => {
            let iterations = only(iterations)?.number().ok_or(MALFORMED)?;
            digest(named(name)?, iterations, parts)
        }
        _ => Err(MALFORMED),
    }
}

/// All mentions of the password, and of the salt, are alike.
fn digest(
    function: HashFunction,
    iterations: u32,
    operands: &[Expression<'_>],
) -> Result<(Function, Vec<Step>), Refusal> {
    let mut parts = Vec::new();
    let (mut steps, mut salt) = (None, None);
    for operand in operands {
        if let Expression::Text(text) = operand {
            parts.push(Part::Text(text.as_bytes().to_vec()));
        } else if *operand == Expression::Name("previous") {
            parts.push(Part::Previous);
        } else if let Ok(form) = salt_of(operand) {
            if *salt.get_or_insert(form) != form {
                return Err(MALFORMED);
            }
            parts.push(Part::Salt);
        } else {
            let found = steps_of(operand)?;
            if *steps.get_or_insert(found.clone()) != found {
                return Err(MALFORMED);
            }
            parts.push(Part::Password);
        }
    }
    let function = Function::Digest {
        function,
        iterations,
        parts,
        salt: salt.unwrap_or(Salt::Text),
    };
    Ok((function, steps.ok_or(MALFORMED)?))
}

fn named(name: &str) -> Result<HashFunction, Refusal> {
    HashFunction::named(name).map_err(|_| MALFORMED)
}

fn only<'e, 'a>(operands: &'e [Expression<'a>]) -> Result<&'e Expression<'a>, Refusal> {
    match operands {
        [operand] => Ok(operand),
        _ => Err(MALFORMED),
    }
}

fn salt_of(expression: &Expression<'_>) -> Result<Salt, Refusal> {
    let encoding = match expression {
        Expression::Name("salt") => return Ok(Salt::Text),
        Expression::Call("hex", _) => TextEncoding::Hex,
        Expression::Call("base64", _) => TextEncoding::Base64,
        _ => return Err(MALFORMED),
    };
    match expression.operand() {
        Some(Expression::Name("salt")) => Ok(Salt::Encoded(encoding)),
        _ => Err(MALFORMED),
    }
}

/// The digests around `password`, from the innermost.
fn steps_of(expression: &Expression<'_>) -> Result<Vec<Step>, Refusal> {
    match expression {
        Expression::Name("password") => Ok(Vec::new()),
        Expression::Call(name, _) => {
            let mut steps = steps_of(expression.operand().ok_or(MALFORMED)?)?;
            steps.push(Step::Hex(named(name)?));
            Ok(steps)
        }
        _ => Err(MALFORMED),
    }
}
