//! The rules for new passwords, in addition to those for all passwords.

use std::iter;

use passwords::analyzer::is_common_password;
use unicode_normalization::UnicodeNormalization;
use zxcvbn::matching::patterns::MatchPattern;
use zxcvbn::zxcvbn;

use super::email::Email;
use super::password::Password;
use super::person::Organization;
use super::violation::ValidationError;

/// Rules at registration, reset and change; they do not apply to existing passwords at sign-in.
#[derive(Debug, Clone, Copy)]
pub struct NewPasswordRules {
    /// In characters.
    pub min_length: usize,
    /// By the estimate of zxcvbn for an attacker who knows the user's [`OwnWords`].
    pub min_guesses: u64,
}

/// What an attacker who knows the user tries first: their address and names, and those of their organizations.
#[derive(Debug, Clone)]
pub struct OwnWords(Vec<String>);

/// Shorter words occur in too many good passwords.
const MIN_OWN_WORD_CHARS: usize = 4;

/// A listed password of at most so many letters stays one with marks or blanks between them. Longer ones are several
/// words, such as `correct horse battery staple`.
const MAX_SPACED_CHARS: usize = 12;

/// Digits and marks around a word that do not make it another password: a date, or a year with a mark after it.
const MAX_AFFIX_CHARS: usize = 8;

impl OwnWords {
    pub fn new<'a>(email: Option<&Email>, names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut words = vec!["hallpass".to_owned()];
        if let Some(email) = email {
            words.extend([email.as_str(), email.local_part(), email.domain()].map(str::to_owned));
        }
        words.extend(names.into_iter().map(str::to_owned));
        Self(words)
    }

    #[must_use]
    pub fn with<'a>(mut self, organizations: impl IntoIterator<Item = &'a Organization>) -> Self {
        for organization in organizations {
            self.0.push(organization.name.as_str().to_owned());
            self.0.push(organization.slug.as_str().to_owned());
        }
        self
    }

    /// Each text whole, without what separates its words, and split into them; normalised and in lower case.
    fn comparable(&self) -> Vec<String> {
        let mut words = Vec::new();
        for text in &self.0 {
            let text: String = text.nfkc().collect::<String>().to_lowercase();
            words.extend(
                text.split(|c: char| !c.is_alphanumeric())
                    .map(str::to_owned),
            );
            words.push(text.chars().filter(|c| c.is_alphanumeric()).collect());
            words.push(text);
        }
        words.retain(|word| word.chars().count() >= MIN_OWN_WORD_CHARS);
        words.sort();
        words.dedup();
        words
    }
}

impl NewPasswordRules {
    /// # Errors
    /// `too_short` or `too_common`.
    pub fn check(&self, password: &Password, own: &OwnWords) -> Result<(), ValidationError> {
        let password = password.expose();
        if password.chars().count() < self.min_length {
            return Err(ValidationError::new(
                "too_short",
                format!("Please use at least {} characters.", self.min_length),
            ));
        }
        match self.weakness(password, &own.comparable()) {
            None => Ok(()),
            Some(why) => Err(ValidationError::new(
                "too_common",
                format!(
                    "This password is easy to guess. {why} Please choose another, such as several words that have \
                     nothing to do with each other."
                ),
            )),
        }
    }

    /// A sentence about what makes the password weak, if something does.
    fn weakness(&self, password: &str, own: &[String]) -> Option<String> {
        let own_word = "It is your name or address, or the name of your organization or of this service, and digits \
                        or marks do not help.";
        let listed =
            "It is on a list of common passwords, and digits, marks or capitals do not help.";
        let word = bare(password);
        let joined: String = word.chars().filter(|c| c.is_alphanumeric()).collect();
        if is_own_word(password, own) || own.contains(&joined.to_lowercase()) {
            return Some(own_word.to_owned());
        }
        let is_spaced = joined.chars().count() <= MAX_SPACED_CHARS && is_leaked(&joined);
        if is_leaked(password)
            || is_leaked(word)
            || is_leaked(&without_substitutions(word))
            || is_spaced
        {
            return Some(listed.to_owned());
        }
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        if word.chars().count() <= PIECE_CHARS && is_one_word(word, &own) {
            return Some(
                "It is a single word, and digits, marks or capitals do not help.".to_owned(),
            );
        }
        // The strongest piece counts: the others may repeat it.
        let strongest = pieces(password)
            .map(|piece| zxcvbn(piece, &own))
            .max_by_key(zxcvbn::Entropy::guesses)?;
        let warning = strongest
            .feedback()
            .and_then(zxcvbn::feedback::Feedback::warning);
        (strongest.guesses() < self.min_guesses)
            .then(|| warning.map_or_else(String::new, |warning| warning.to_string()))
    }
}

/// The password without digits or marks before it, and without digits and marks after it.
fn bare(password: &str) -> &str {
    let word = password.trim_end_matches(|c: char| !c.is_alphabetic());
    let undated = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let unmarked = word.trim_start_matches(|c: char| !c.is_alphanumeric());
    let word = if undated.starts_with(char::is_alphabetic) {
        undated
    } else {
        unmarked
    };
    let affixes = password.chars().count() - word.chars().count();
    let is_word = word.chars().count() >= MIN_OWN_WORD_CHARS && affixes <= MAX_AFFIX_CHARS;
    if is_word { word } else { password }
}

/// Whether the password is one of the user's own words, alone or with digits on one side.
fn is_own_word(password: &str, own: &[String]) -> bool {
    let password = password.to_lowercase();
    let digits = |rest: &str| rest.bytes().all(|b| b.is_ascii_digit());
    own.iter().any(|word| {
        password.strip_prefix(word).is_some_and(digits)
            || password.strip_suffix(word).is_some_and(digits)
    })
}

/// Whether the text is among the 100,000 most common leaked passwords, as typed, in lower case, or with a capital
/// initial.
fn is_leaked(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut rest = lower.chars();
    let capital = rest
        .next()
        .map(|first| first.to_uppercase().chain(rest).collect::<String>());
    is_common_password(text)
        || is_common_password(&lower)
        || capital.is_some_and(is_common_password)
}

/// Letters for the digits and marks that look like them.
fn without_substitutions(word: &str) -> String {
    let letter = |c| match c {
        '4' | '@' => 'a',
        '3' => 'e',
        '1' | '!' => 'i',
        '0' => 'o',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    word.chars().map(letter).collect()
}

/// Whether the text is a single word from zxcvbn's lists or the user's own words, even reversed, in capitals, or with
/// digits for letters.
fn is_one_word(text: &str, own: &[&str]) -> bool {
    // The matches in a sequence neither overlap nor leave gaps, so a single one covers everything.
    matches!(
        zxcvbn(text, own).sequence(),
        [only] if matches!(only.pattern, MatchPattern::Dictionary(_))
    )
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

    const RULES: NewPasswordRules = NewPasswordRules {
        min_length: 8,
        min_guesses: 1_000_000,
    };

    fn refusal(password: &str, own: &[&str]) -> Option<ValidationError> {
        let password = Password::parse(password).unwrap();
        let own = OwnWords::new(None, own.iter().copied());
        RULES.check(&password, &own).err()
    }

    fn code(password: &str, own: &[&str]) -> Option<&'static str> {
        refusal(password, own).map(|refusal| refusal.code)
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
            // Existing clients document these.
            "secure-password-123",
            "securepassword123",
            "newSecurePassword123",
            "#32Password1!",
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
            "Password1!",
            "P@ssw0rd1",
            "P@$$w0rd!",
            "password12345",
            "letmein123",
            "(password)",
            "-Password1-",
            "p.a.s.s.w.o.r.d",
            "Pass word 1",
            "i love you",
            "Welcome2026!",
            "Summer2026!",
            "2026Summer!",
            "Company123!",
            "Abcd1234!",
            "hallpass123",
            "Hallpass2026!",
            "h4llp4ss!",
            "1g2w3e4r",
            "BUL5Tacumi",
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
        let six = NewPasswordRules {
            min_length: 6,
            ..RULES
        };
        let password = Password::parse("K7#pq9").unwrap();
        assert!(six.check(&password, &OwnWords::new(None, [])).is_ok());
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

    #[test]
    fn a_higher_minimum_refuses_what_can_be_guessed_in_fewer() {
        let strict = NewPasswordRules {
            min_guesses: 1_000_000_000,
            ..RULES
        };
        let own = OwnWords::new(None, []);
        let code = |password| {
            strict
                .check(&Password::parse(password).unwrap(), &own)
                .err()
        };
        assert!(code("securepassword123").is_some());
        assert!(code("secure-password-123").is_none());
    }

    #[test]
    fn the_message_says_what_to_change() {
        for (password, why) in [
            ("Ada.Lovelace1815", "your name or address"),
            ("P@ssw0rd1", "list of common passwords"),
            ("Subcommittee7!", "a single word"),
            ("qxzqxzqxzqxz", "Repeat"),
        ] {
            let message = refusal(password, &["Ada Lovelace"]).unwrap().message;
            assert!(message.contains(why), "{password}: {message}");
        }
    }
}
