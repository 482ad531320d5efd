//! Slack's check of redirect URIs.

use url::Url;

/// Slack's rule: equal to a registered redirect URI, or below it.
pub(super) fn is_registered(given: &Url, registered: &[Url]) -> bool {
    given.fragment().is_none() && registered.iter().any(|known| is_at_or_below(given, known))
}

fn is_at_or_below(given: &Url, known: &Url) -> bool {
    let place = |url: &Url| {
        (
            url.scheme().to_owned(),
            url.username().to_owned(),
            url.password().map(str::to_owned),
            url.host_str().map(str::to_owned),
            url.port_or_known_default(),
        )
    };
    place(given) == place(known)
        && given
            .path()
            .strip_prefix(known.path().trim_end_matches('/'))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registered_uri_includes_everything_below_it() {
        let known = ["http://localhost:3000/callback".parse().unwrap()];
        let is_registered = |given: &str| is_registered(&given.parse().unwrap(), &known);
        for good in [
            "http://localhost:3000/callback",
            "http://localhost:3000/callback/",
            "http://localhost:3000/callback/team?x=1",
            "HTTP://LOCALHOST:3000/callback",
        ] {
            assert!(is_registered(good), "{good}");
        }
        for bad in [
            "http://localhost:3000/callbacks",
            "http://localhost:3000/",
            "http://localhost:3000/callback/../admin",
            "http://localhost:3000/callback#x",
            "http://localhost:3001/callback",
            "https://localhost:3000/callback",
            "http://evil.example:3000/callback",
            "http://localhost@evil.example:3000/callback",
            "http://me@localhost:3000/callback",
        ] {
            assert!(!is_registered(bad), "{bad}");
        }
    }
}
