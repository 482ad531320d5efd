//! Slugs: the names of organizations in URLs, host names and `tenant`.

use std::fmt;

use any_ascii::any_ascii_char;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use url::Url;
use uuid::Uuid;

use super::OrganizationName;
use super::typed::trimmed;
use super::violation::ValidationError;

/// `[a-z0-9]` words joined by single hyphens, at most 63 characters, so that it can be a label of a host name
/// (RFC 1035 §2.3.4), and no UUID, so that it is never taken for an id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slug(String);

impl Slug {
    const MAX: usize = 63;
    /// Leaves room for a number.
    const MAX_SUGGESTED: usize = 48;

    /// A chosen slug, trimmed and in lower case.
    ///
    /// # Errors
    /// `invalid_slug`.
    pub fn parse(text: &str) -> Result<Self, ValidationError> {
        let slug = Self::typed(text).0;
        let is_word = |word: &str| {
            let mut letters = word.bytes();
            !word.is_empty() && letters.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if slug.len() <= Self::MAX && slug.split('-').all(is_word) && !is_id(&slug) {
            return Ok(Self(slug));
        }
        Err(ValidationError::new(
            "invalid_slug",
            "Please use letters a to z, digits and single hyphens between them, at most 63 characters, and no UUID.",
        ))
    }

    /// The slug for a name, in Latin letters; `None` if too little of the name would be left: scripts that do not
    /// write their vowels, or sounds at all, have no spelling that its owner would recognize.
    pub fn suggested_by(name: &OrganizationName) -> Option<Self> {
        let mut slug = String::new();
        let mut is_whole = true;
        for c in name.as_str().nfkc() {
            let spelling = match c {
                '\'' | '\u{2019}' | '\u{2bc}' => "",
                c if is_combining_mark(c) => "",
                c if c.is_ascii_alphanumeric() || c.is_alphabetic() && is_spelled_out(c) => {
                    any_ascii_char(c)
                }
                c if c.is_alphanumeric() => {
                    is_whole = false;
                    ""
                }
                _ => "-",
            };
            for c in spelling.chars() {
                if c.is_ascii_alphanumeric() {
                    slug.push(c.to_ascii_lowercase());
                } else if c == '-' && !slug.is_empty() && !slug.ends_with('-') {
                    slug.push('-');
                }
            }
        }
        slug.truncate(Self::MAX_SUGGESTED);
        let slug = slug.trim_end_matches('-');
        let letters = slug.bytes().filter(u8::is_ascii_alphabetic).count();
        let says_enough = !slug.is_empty() && (is_whole || letters > 1) && !is_id(slug);
        says_enough.then(|| Self(slug.to_owned()))
    }

    /// The slug for a name that suggests none.
    pub fn nameless() -> Self {
        Self("organization".to_owned())
    }

    /// The `n`th alternative if earlier ones are taken: `acme`, `acme-2`, `acme-3`, …
    #[must_use]
    pub fn choice(&self, n: u32) -> Self {
        if n < 2 {
            self.clone()
        } else {
            Self(format!("{}-{n}", self.0))
        }
    }

    /// A slug as it was typed, which may be nobody's: trimmed and in lower case.
    pub fn typed(text: &str) -> Self {
        Self(trimmed(text).to_lowercase())
    }

    /// A slug read from the database.
    pub fn from_stored(slug: String) -> Self {
        Self(slug)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a command that takes a slug or an id would read an id.
fn is_id(slug: &str) -> bool {
    Uuid::parse_str(slug).is_ok()
}

/// Latin, Greek, Cyrillic and Armenian letters, and Georgian ones: alphabets that write every vowel.
fn is_spelled_out(c: char) -> bool {
    matches!(c, '\u{c0}'..='\u{587}' | '\u{10a0}'..='\u{10ff}' | '\u{1c90}'..='\u{1cbf}' | '\u{1e00}'..='\u{1fff}')
}

/// What nobody gets as a slug: as the host name of an organization it would pass for the service itself, or for an
/// address of the domain that people trust (RFC 2142).
const RESERVED: &[&str] = &[
    "abuse",
    "account",
    "accounts",
    "admin",
    "administrator",
    "api",
    "app",
    "apps",
    "assets",
    "auth",
    "autoconfig",
    "autodiscover",
    "billing",
    "blog",
    "cdn",
    "console",
    "dashboard",
    "demo",
    "dev",
    "dns",
    "docs",
    "email",
    "ftp",
    "git",
    "hallpass",
    "help",
    "host",
    "hostmaster",
    "id",
    "identity",
    "imap",
    "internal",
    "join",
    "localhost",
    "login",
    "logout",
    "mail",
    "me",
    "metrics",
    "mx",
    "new",
    "ns",
    "ns1",
    "ns2",
    "oauth",
    "operator",
    "password",
    "pop",
    "pop3",
    "postmaster",
    "register",
    "root",
    "search",
    "security",
    "settings",
    "sign-in",
    "sign-out",
    "sign-up",
    "signin",
    "signout",
    "signup",
    "smtp",
    "sso",
    "staging",
    "static",
    "status",
    "support",
    "system",
    "test",
    "vpn",
    "webmail",
    "webmaster",
    "wpad",
    "www",
];

/// The reserved words, and the host names of the deployment below `TENANT_DOMAIN`.
#[derive(Debug, Clone, Default)]
pub struct ReservedSlugs(Vec<String>);

impl ReservedSlugs {
    pub fn new<'a>(tenant_domain: Option<&str>, own: impl IntoIterator<Item = &'a Url>) -> Self {
        let label = |url: &Url| {
            let host = url.host_str()?.strip_suffix(tenant_domain?)?;
            Some(host.strip_suffix('.')?.to_owned())
        };
        Self(own.into_iter().filter_map(label).collect())
    }

    pub fn contain(&self, slug: &Slug) -> bool {
        let slug = slug.as_str();
        RESERVED.contains(&slug) || self.0.iter().any(|own| own == slug)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggested(name: &str) -> Option<String> {
        Slug::suggested_by(&OrganizationName::parse(name).unwrap()).map(|slug| slug.0)
    }

    #[test]
    fn a_typed_slug_is_trimmed_and_in_lower_case() {
        assert_eq!(Slug::typed(" Acme-Inc\u{200b}\n").as_str(), "acme-inc");
    }

    #[test]
    fn a_slug_keeps_the_words_of_the_name() {
        for (name, slug) in [
            ("Acme, Inc.", "acme-inc"),
            ("  Crème   Brûlée & Söhne ", "creme-brulee-sohne"),
            ("Cre\u{300}me", "creme"),
            ("O'Neil", "oneil"),
            ("O’Neil—Byte", "oneil-byte"),
            ("C+", "c"),
            ("Große Straße 17", "grosse-strasse-17"),
            ("Łódź Œuvre Đặng", "lodz-oeuvre-dang"),
        ] {
            assert_eq!(suggested(name).as_deref(), Some(slug), "{name}");
        }
        assert_eq!(suggested(&"é".repeat(90)), Some("e".repeat(48)));
    }

    #[test]
    fn names_in_other_alphabets_are_spelled_in_latin_letters() {
        for (name, slug) in [
            ("Ελληνική Εταιρεία", "elliniki-etaireia"),
            ("Рога и копыта", "roga-i-kopyta"),
            ("ООО «Объект»", "ooo-obekt"),
            ("Київ Йод", "kiiv-yod"),
            ("Հայաստան", "hayastan"),
            ("საქართველო", "sakartvelo"),
        ] {
            assert_eq!(suggested(name).as_deref(), Some(slug), "{name}");
        }
    }

    #[test]
    fn names_in_other_scripts_suggest_no_slug() {
        for name in [
            "東京",
            "株式会社サンプル",
            "日本2",
            "東京A",
            "عربي",
            "עברית",
            "ไทย",
            "🚀🚀",
            "--",
        ] {
            assert_eq!(suggested(name), None, "{name}");
        }
        assert_eq!(suggested("日本電気 NEC").as_deref(), Some("nec"));
        let id = "019a9f2e-0000-7000-8000-000000000000";
        assert_eq!(suggested(id), None);
    }

    #[test]
    fn later_slug_choices_are_numbered() {
        let acme = Slug::parse("acme").unwrap();
        assert_eq!(acme.choice(1).as_str(), "acme");
        assert_eq!(acme.choice(2).as_str(), "acme-2");
    }

    #[test]
    fn a_chosen_slug_is_words_joined_by_single_hyphens() {
        let longest = "a".repeat(63);
        for (text, slug) in [
            ("acme", "acme"),
            (" Acme-2 ", "acme-2"),
            ("7", "7"),
            (&longest, &longest),
        ] {
            assert_eq!(Slug::parse(text).unwrap().as_str(), slug);
        }
        for text in [
            "",
            " ",
            "-acme",
            "acme-",
            "a--b",
            "xn--acme",
            "a.b",
            "a_b",
            "a b",
            "äcme",
            "a/b",
            "%00",
            &"a".repeat(64),
            "019a9f2e-0000-7000-8000-000000000000",
            "019a9f2e000070008000000000000000",
        ] {
            assert_eq!(
                Slug::parse(text).unwrap_err().code,
                "invalid_slug",
                "{text}"
            );
        }
    }

    #[test]
    fn the_deployments_own_host_names_are_reserved() {
        let urls = [
            "https://id.acme.example:8443",
            "https://shop.example.com/x",
            "https://example.com",
        ];
        let urls = urls.map(|url| Url::parse(url).unwrap());
        let are_reserved = |domain: Option<&str>| {
            let reserved = ReservedSlugs::new(domain, &urls);
            ["shop", "id", "example"].map(|slug| reserved.contain(&Slug::parse(slug).unwrap()))
        };
        assert_eq!(are_reserved(Some("example.com")), [true, true, false]);
        assert_eq!(are_reserved(None), [false, true, false]);
    }

    #[test]
    fn every_reserved_word_is_a_slug() {
        for word in RESERVED {
            assert_eq!(Slug::parse(word).unwrap().as_str(), *word);
        }
        assert!(RESERVED.is_sorted());
    }
}
