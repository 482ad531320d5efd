//! The rules for new passwords, in addition to those for all passwords.

use std::iter;

use unicode_normalization::UnicodeNormalization;
use zxcvbn::matching::patterns::MatchPattern;
use zxcvbn::{Score, zxcvbn};

use super::password::Password;
use super::violation::ValidationError;

/// Rules at registration, reset and change; they do not apply to existing passwords at sign-in.
#[derive(Debug, Clone, Copy)]
pub struct NewPasswordRules {
    /// In characters.
    pub min_length: usize,
}

/// Shorter words occur in too many good passwords.
const MIN_OWN_WORD_CHARS: usize = 4;

impl NewPasswordRules {
    /// `user_inputs` are what an attacker tries first: the user's address, its local part, their
    /// names, their organization's name.
    ///
    /// # Errors
    /// `too_short` or `too_common`.
    pub fn check(&self, password: &Password, user_inputs: &[&str]) -> Result<(), ValidationError> {
        let password = password.expose();
        if password.chars().count() < self.min_length {
            return Err(ValidationError::new(
                "too_short",
                format!("Please use at least {} characters.", self.min_length),
            ));
        }
        let user_inputs = comparable(user_inputs);
        if is_own_word(password, &user_inputs) || is_common(password, &user_inputs) {
            return Err(ValidationError::new(
                "too_common",
                "This password is easy to guess. Please choose another, such as several \
                 words that have nothing to do with each other.",
            ));
        }
        Ok(())
    }
}

/// The user's own words, whole and split at spaces, normalised and in lower case.
fn comparable(user_inputs: &[&str]) -> Vec<String> {
    let whole = user_inputs.iter().copied();
    let single = user_inputs
        .iter()
        .flat_map(|words| words.split_whitespace());
    let mut words: Vec<String> = whole
        .chain(single)
        .map(|word| word.nfkc().collect::<String>().to_lowercase())
        .filter(|word| word.chars().count() >= MIN_OWN_WORD_CHARS)
        .collect();
    words.sort();
    words.dedup();
    words
}

/// Whether the password is one of the user's own words, alone or with digits on one side.
fn is_own_word(password: &str, user_inputs: &[String]) -> bool {
    let password = password.to_lowercase();
    let digits = |rest: &str| rest.bytes().all(|b| b.is_ascii_digit());
    user_inputs.iter().any(|word| {
        password.strip_prefix(word).is_some_and(digits)
            || password.strip_suffix(word).is_some_and(digits)
    })
}

/// Whether the password is among the first thousand guesses, or is a single word from zxcvbn's lists or the
/// user's own words, even reversed, in capitals, or with digits for letters. A long password is checked in
/// pieces, and is accepted if one of them is.
fn is_common(password: &str, user_inputs: &[String]) -> bool {
    let user_inputs: Vec<&str> = user_inputs.iter().map(String::as_str).collect();
    pieces(password).all(|piece| {
        let estimate = zxcvbn(piece, &user_inputs);
        // The matches in a sequence neither overlap nor leave gaps, so a single one covers the whole piece.
        estimate.score() == Score::Zero
            || matches!(estimate.sequence(), [only] if matches!(only.pattern, MatchPattern::Dictionary(_)))
    })
}

/// The most characters zxcvbn gets at once. Its time grows with the square of the length: a hundred
/// characters chosen by an attacker, such as `4@8({[<`, take it most of a second.
const PIECE_CHARS: usize = 24;

fn pieces(password: &str) -> impl Iterator<Item = &str> {
    let mut rest = password;
    iter::from_fn(move || {
        let end = rest
            .char_indices()
            .nth(PIECE_CHARS)
            .map_or(rest.len(), |(end, _)| end);
        let (piece, tail) = rest.split_at(end);
        rest = tail;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: NewPasswordRules = NewPasswordRules { min_length: 8 };

    fn code(password: &str, user_inputs: &[&str]) -> Option<&'static str> {
        let password = Password::parse(password).unwrap();
        RULES.check(&password, user_inputs).err().map(|r| r.code)
    }

    #[test]
    fn sensible_passwords_pass() {
        for password in [
            "correct horse battery staple",
            "SecurePass123!",
            "hunter2hunter3!",
            "Tr0ub4dor&3",
            "mein hund heißt rex",
            "пароль для входа",
            "K7#pq9Lm",
            "x9Q2vL0pRt5W",
            &"correct horse battery staple ".repeat(3),
        ] {
            assert_eq!(code(password, &[]), None, "{password}");
        }
    }

    #[test]
    fn common_passwords_are_refused() {
        for password in [
            "password",
            "Password",
            "PASSWORD",
            "drowssap",
            "Password1",
            "password123",
            "p@ssw0rd",
            "P@ssw0rd",
            "12345678",
            "123456789",
            "qwertyuiop",
            "qwerty123",
            "iloveyou",
            "sunshine",
            "football",
            "aaaaaaaa",
            "        ",
            "abcdefgh",
            "abcabcabcabc",
            "passwordpassword",
            "encyclopedia",
            &"a".repeat(100),
        ] {
            assert_eq!(code(password, &[]), Some("too_common"), "{password}");
        }
    }

    #[test]
    fn a_short_password_is_rejected() {
        assert_eq!(code("K7#pq9L", &[]), Some("too_short"));
        assert_eq!(code("K7#pq9Lm", &[]), None);
        assert_eq!(code("🔐🔑🗝🚪🧱", &[]), Some("too_short"));
        let six = NewPasswordRules { min_length: 6 };
        assert!(six.check(&Password::parse("K7#pq9").unwrap(), &[]).is_ok());
    }

    #[test]
    fn a_users_own_words_are_rejected_as_passwords() {
        let own = [
            "ada.lovelace@example.com",
            "ada.lovelace",
            "Ada Lovelace",
            "Analytical Engines",
            "Ångström",
            "Vrelthane",
        ];
        for password in [
            "ada.lovelace@example.com",
            "Ada.Lovelace@Example.com",
            "ada.lovelace",
            "ada.lovelace1815",
            "1815ada.lovelace",
            "Lovelace",
            "Lovelace1815",
            "enahtlerv",
            "vr3lth4ne",
            "Ada Lovelace",
            "analytical engines",
            "ENGINES2026",
            "A\u{30a}ngstro\u{308}m",
        ] {
            assert_eq!(code(password, &own), Some("too_common"), "{password}");
        }
        for password in ["ada.lovelace", "enahtlerv", "vr3lth4ne"] {
            assert_eq!(code(password, &[]), None, "{password}");
        }
        for password in ["my Lovelace is a ferry", "engines never sleep 9"] {
            assert_eq!(code(password, &own), None, "{password}");
        }
    }

    #[test]
    fn own_words_of_three_letters_are_ignored() {
        assert_eq!(code("ada18151852", &["ada"]), None);
        assert_eq!(code("adah18151852", &["adah"]), Some("too_common"));
    }
}
