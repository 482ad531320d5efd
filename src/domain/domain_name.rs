//! Domain names of e-mail addresses, and the domains whose users may join an organization.

use std::fmt;

use super::typed::trimmed;
use super::violation::ValidationError;

/// The domain of an e-mail address: in ASCII (IDNA) and lower case, with at least one dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DomainName(String);

impl DomainName {
    /// # Errors
    /// `invalid_domain`.
    pub fn parse(text: &str) -> Result<Self, ValidationError> {
        Self::of_mail(trimmed(text)).ok_or_else(|| {
            ValidationError::new(
                "invalid_domain",
                "Please give domains such as example.com, without @ or wildcards.",
            )
        })
    }

    /// `None` unless this can be the domain of an e-mail address: no dot, an IP address, an invalid label.
    pub(super) fn of_mail(text: &str) -> Option<Self> {
        let domain = idna::domain_to_ascii_strict(text).ok()?;
        if !domain.contains('.') || domain.starts_with('[') || domain.ends_with('.') {
            return None;
        }
        // URL parsers read a domain with an all-numeric last label as an IPv4 address.
        let last = domain.rsplit('.').next()?;
        (!last.bytes().all(|b| b.is_ascii_digit())).then_some(Self(domain))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The domains whose users may join an organization with the join policy `domain`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedDomains(Vec<DomainName>);

impl AllowedDomains {
    pub const MAX: usize = 50;

    /// Removes duplicates and keeps the order.
    ///
    /// # Errors
    /// `invalid_domain`, `too_many`.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, ValidationError> {
        let mut domains = Vec::new();
        for text in texts {
            let domain = DomainName::parse(text)?;
            if !domains.contains(&domain) {
                domains.push(domain);
            }
            if domains.len() > Self::MAX {
                return Err(ValidationError::new(
                    "too_many",
                    format!("Please give at most {} domains.", Self::MAX),
                ));
            }
        }
        Ok(Self(domains))
    }

    /// Reads the stored form: domains separated by spaces.
    pub fn from_stored(text: &str) -> Self {
        Self(
            text.split_whitespace()
                .map(|domain| DomainName(domain.to_owned()))
                .collect(),
        )
    }

    /// The stored form: domains separated by spaces.
    pub fn to_stored(&self) -> String {
        self.names().collect::<Vec<_>>().join(" ")
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(DomainName::as_str)
    }

    /// Whether the address is at one of the domains. Subdomains do not count: others often control them.
    pub fn include(&self, domain: &str) -> bool {
        self.names().any(|allowed| allowed == domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Email, JoinPolicy};

    fn domains(texts: &[&str]) -> Result<AllowedDomains, ValidationError> {
        AllowedDomains::parse(texts.iter().copied())
    }

    #[test]
    fn domains_are_normalised_and_deduplicated() {
        let parsed = domains(&["Acme.Example", "bücher.example", "acme.example"]).unwrap();
        assert_eq!(parsed.to_stored(), "acme.example xn--bcher-kva.example");
        assert_eq!(AllowedDomains::from_stored(&parsed.to_stored()), parsed);
        assert_eq!(domains(&[]), Ok(AllowedDomains::from_stored("")));
    }

    #[test]
    fn invalid_mail_domains_are_rejected() {
        for text in [
            "",
            " ",
            "com",
            "@acme.example",
            "a@acme.example",
            "*.acme.example",
            "acme.example.",
            ".acme.example",
            "acme..example",
            "acme example.com",
            "127.0.0.1",
            "[::1]",
            "https://acme.example",
            "acme.example/x",
            "acme.example b.example",
            "-a.example",
        ] {
            assert_eq!(
                domains(&[text]).unwrap_err().code,
                "invalid_domain",
                "{text:?}"
            );
        }
        let long = format!("{}.example", "a".repeat(64));
        assert!(domains(&[&long]).is_err());
    }

    #[test]
    fn at_most_fifty_domains_are_allowed() {
        let names: Vec<String> = (0..51).map(|n| format!("d{n}.example")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(domains(&names[..50]).is_ok());
        assert_eq!(domains(&names).unwrap_err().code, "too_many");
    }

    #[test]
    fn only_addresses_at_exactly_a_listed_domain_are_included() {
        let allowed = domains(&["acme.example", "bücher.example"]).unwrap();
        let includes = |text: &str| allowed.include(Email::parse(text).unwrap().domain());
        assert!(includes("Ada@ACME.example"));
        assert!(includes("ada@xn--bcher-kva.example"));
        for other in [
            "ada@evil-acme.example",
            "ada@sub.acme.example",
            "acme.example@evil.example",
        ] {
            assert!(!includes(other), "{other}");
        }
    }

    #[test]
    fn open_admits_anyone_and_domain_admits_verified_addresses() {
        let allowed = domains(&["acme.example"]).unwrap();
        let (ada, eve) = (
            Email::parse("ada@acme.example").unwrap(),
            Email::parse("eve@evil.example").unwrap(),
        );
        assert!(JoinPolicy::Open.lets_in(&allowed, None));
        assert!(JoinPolicy::Domain.lets_in(&allowed, Some(&ada)));
        assert!(!JoinPolicy::Domain.lets_in(&allowed, Some(&eve)));
        assert!(!JoinPolicy::Domain.lets_in(&allowed, None));
        for policy in [JoinPolicy::Invite, JoinPolicy::Closed] {
            assert!(!policy.lets_in(&allowed, Some(&ada)));
        }
    }
}
