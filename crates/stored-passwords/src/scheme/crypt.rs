//! What crypt(3) writes, beside bcrypt: `$1$`, `$5$`, `$6$` and `$y$`, and Apache's `$apr1$`.

use crate::hash_function::HashFunction;
use crate::kdf::Kdf;
use crate::primitives::md5_crypt::{Md5Crypt, Prefix};
use crate::primitives::phpass::Phpass;
use crate::primitives::scrypt::Scrypt;
use crate::primitives::sha_crypt::ShaCrypt;
use crate::primitives::yescrypt::Yescrypt;
use crate::refusal::Refusal;

use super::reading::Reading;
use super::text::{crypt64, crypt64_digit, fields, number};

/// Which byte of the digest each byte of the text is. The last one has no partners.
const MD5_ORDER: [usize; 16] = [12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11];
/// What `$5$` and `$6$` do if the text names no rounds.
const ROUNDS: u32 = 5000;

/// `$1$<salt>$<hash>` and `$apr1$<salt>$<hash>`.
pub(super) fn md5_crypt(text: &str) -> Result<Reading, Refusal> {
    let ["", id, salt, output] = fields(text, '$')? else {
        return Err(Refusal::Malformed("an MD5-crypt hash begins with `$`"));
    };
    let prefix = match id {
        "1" => Prefix::Unix,
        "apr1" => Prefix::Apache,
        _ => return Err(Refusal::Unknown),
    };
    let output = in_order(&crypt64(output)?, &MD5_ORDER)?;
    Ok(md5_crypt_of(prefix, salt.as_bytes().to_vec(), output))
}

/// With the digest itself.
pub(super) fn md5_crypt_of(prefix: Prefix, salt: Vec<u8>, output: Vec<u8>) -> Reading {
    Reading::new(Kdf::Md5Crypt(Md5Crypt { prefix, salt }), output)
}

/// `$5$rounds=10000$<salt>$<hash>` and `$6$…`, with and without `rounds=`.
pub(super) fn sha_crypt(text: &str) -> Result<Reading, Refusal> {
    let (id, rounds, salt, output) = match fields(text, '$') {
        Ok(["", id, rounds, salt, output]) => {
            let rounds = rounds.strip_prefix("rounds=");
            let rounds = rounds.ok_or(Refusal::Malformed("a salt has no `$`"))?;
            (id, number(rounds)?, salt, output)
        }
        _ => {
            let ["", id, salt, output] = fields(text, '$')? else {
                return Err(Refusal::Malformed("a hash of crypt(3) begins with `$`"));
            };
            (id, ROUNDS, salt, output)
        }
    };
    let function = match id {
        "5" => HashFunction::Sha256,
        "6" => HashFunction::Sha512,
        _ => return Err(Refusal::Unknown),
    };
    let kdf = ShaCrypt {
        function,
        rounds,
        salt: salt.as_bytes().to_vec(),
    };
    let output = in_order(&crypt64(output)?, &sha_order(function))?;
    Ok(Reading::new(Kdf::ShaCrypt(kdf), output))
}

/// Three bytes from three thirds of the digest, turned by one from group to group; what is left over comes last.
fn sha_order(function: HashFunction) -> Vec<usize> {
    let length = function.output_length();
    let third = length / 3;
    let turn = match function {
        HashFunction::Sha256 => [[2, 1, 0], [1, 0, 2], [0, 2, 1]],
        _ => [[2, 1, 0], [0, 2, 1], [1, 0, 2]],
    };
    let groups = (0..third).zip(turn.iter().cycle());
    let thirds = groups.flat_map(|(n, turn)| turn.map(|which| n + which * third));
    let rest = 3 * third..length;
    thirds.chain(rest).collect()
}

fn in_order(bytes: &[u8], order: &[usize]) -> Result<Vec<u8>, Refusal> {
    let cut = Refusal::Malformed("a hash of crypt(3) is cut");
    let mut digest = vec![0; order.len()];
    if bytes.len() != order.len() {
        return Err(cut);
    }
    for (byte, place) in bytes.iter().zip(order) {
        *digest.get_mut(*place).ok_or(cut.clone())? = *byte;
    }
    Ok(digest)
}

/// `$P$B<salt of 8><hash of 22>` and `$H$…`, where the letter is the binary logarithm of the rounds.
pub(super) fn phpass(text: &str) -> Result<Reading, Refusal> {
    let body = text.strip_prefix("$P$").or(text.strip_prefix("$H$"));
    let body = body.ok_or(Refusal::Unknown)?.as_bytes();
    let cut = Refusal::Malformed("a phpass hash has 34 characters");
    let (&[rounds], body) = body.split_first_chunk().ok_or(cut.clone())?;
    let (salt, output) = body.split_first_chunk().ok_or(cut.clone())?;
    let output = std::str::from_utf8(output).map_err(|_| cut.clone())?;
    let log_rounds = crypt64_digit(rounds).ok_or(cut)?;
    let kdf = Phpass {
        log_rounds,
        salt: *salt,
    };
    Ok(Reading::new(Kdf::Phpass(kdf), crypt64(output)?))
}

/// `$y$<parameters>$<salt>$<hash>`. <https://www.openwall.com/yescrypt/>
pub(super) fn yescrypt(text: &str) -> Result<Reading, Refusal> {
    let ["", "y", parameters, salt, output] = fields(text, '$')? else {
        return Err(Refusal::Malformed("a yescrypt hash begins with `$y$`"));
    };
    let mut letters = Letters(parameters.as_bytes());
    let flavour = letters.number(0)?;
    let (log_n, r) = (letters.number(1)?, letters.number(1)?);
    let more = if letters.0.is_empty() {
        0
    } else {
        letters.number(1)?
    };
    if more & !(HAS_LANES | HAS_TIME) != 0 {
        return Err(Refusal::Unsupported("yescrypt with upgrades or a ROM"));
    }
    let p = if more & HAS_LANES == 0 {
        1
    } else {
        letters.number(2)?
    };
    let t = if more & HAS_TIME == 0 {
        0
    } else {
        letters.number(1)?
    };
    if !letters.0.is_empty() {
        return Err(Refusal::Malformed("yescrypt has no such parameters"));
    }
    let (salt, output) = (crypt64(salt)?, crypt64(output)?);
    let kdf = match (flavour, t) {
        (FLAVOUR_SCRYPT, 0) => Kdf::Scrypt(Scrypt { log_n, r, p, salt }),
        (FLAVOUR_OF_CRYPT, _) => Kdf::Yescrypt(Yescrypt {
            log_n,
            r,
            p,
            t,
            salt,
        }),
        _ => {
            return Err(Refusal::Unsupported(
                "yescrypt in another flavour than crypt(3)'s",
            ));
        }
    };
    Ok(Reading::new(kdf, output))
}

/// scrypt as it was.
const FLAVOUR_SCRYPT: u32 = 0;
/// The letter `j`: read and write, six rounds, and the sizes that are built in.
const FLAVOUR_OF_CRYPT: u32 = 47;
const HAS_LANES: u32 = 1;
const HAS_TIME: u32 = 2;

/// Numbers of one character up to 47, and of more characters above.
struct Letters<'a>(&'a [u8]);

impl Letters<'_> {
    fn digit(&mut self) -> Result<u32, Refusal> {
        let cut = Refusal::Malformed("yescrypt's parameters are cut");
        let (first, rest) = self.0.split_first().ok_or(cut.clone())?;
        self.0 = rest;
        crypt64_digit(*first).ok_or(cut)
    }

    /// The first of more characters says how many there are.
    fn number(&mut self, least: u32) -> Result<u32, Refusal> {
        let first = self.digit()?;
        let (mut start, mut end, mut bits) = (0, 47, 0);
        let mut number = least;
        while first > end {
            number += (end + 1 - start) << bits;
            start = end + 1;
            end = start + (62 - end) / 2;
            bits += 6;
        }
        number += (first - start) << bits;
        while bits > 0 {
            bits -= 6;
            number += self.digit()? << bits;
        }
        Ok(number)
    }
}
