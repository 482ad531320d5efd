//! Reads the clients and hosts that proxies name in `Forwarded` (RFC 7239), from the right, where our own proxies write.

use std::borrow::Cow;
use std::net::IpAddr;

use super::hop::parse_hop;

/// The clients of a header line, from the right; `None` for one that is not named, or not by an address: `unknown`, and
/// identifiers that hide it (§6).
///
/// Read from the left, a quote that a client leaves open would hide what our proxies have written behind it.
pub(super) fn hops_from_right(line: &str) -> impl Iterator<Item = Option<IpAddr>> {
    elements_from_right(line).map(client)
}

/// As [`hops_from_right`], each with the value of a parameter, where it has one.
pub(super) fn values_from_right(
    line: &str,
    parameter: &str,
) -> impl Iterator<Item = (Option<IpAddr>, Option<String>)> {
    elements_from_right(line).map(move |element| {
        let value = value(element, parameter).map(Cow::into_owned);
        (client(element), value)
    })
}

fn client(element: &str) -> Option<IpAddr> {
    address(&value(element, "for")?)
}

/// The line, split at the commas outside of quotes.
fn elements_from_right(line: &str) -> impl Iterator<Item = &str> {
    let mut left = Some(line);
    std::iter::from_fn(move || {
        let text = left.take()?;
        let mut in_quotes = false;
        let comma = text.bytes().enumerate().rev().find(|&(at, byte)| {
            if byte == b'"' && !(in_quotes && is_escaped(text, at)) {
                in_quotes = !in_quotes;
            }
            byte == b',' && !in_quotes
        });
        let Some((at, _)) = comma else {
            return Some(text);
        };
        left = text.get(..at);
        text.get(at + 1..)
    })
}

/// Whether an odd number of backslashes precedes the byte.
fn is_escaped(text: &str, at: usize) -> bool {
    let before = text.bytes().take(at).rev();
    before.take_while(|&byte| byte == b'\\').count() % 2 == 1
}

/// The value of a parameter; `None` if it is not there exactly once (§4).
fn value<'a>(element: &'a str, wanted: &str) -> Option<Cow<'a, str>> {
    let mut found = None;
    for pair in pairs(element).filter(|pair| !pair.trim().is_empty()) {
        let (name, value) = pair.split_once('=')?;
        if name.trim().eq_ignore_ascii_case(wanted) && found.replace(value.trim()).is_some() {
            return None;
        }
    }
    unquoted(found?)
}

/// An element, split at the semicolons outside of quotes.
fn pairs(element: &str) -> impl Iterator<Item = &str> {
    let (mut in_quotes, mut is_escaped) = (false, false);
    element.split(move |c| {
        if is_escaped {
            is_escaped = false;
        } else if c == '"' {
            in_quotes = !in_quotes;
        } else {
            is_escaped = in_quotes && c == '\\';
        }
        c == ';' && !in_quotes
    })
}

/// A token, or what a quoted string says (RFC 9110 §5.6.4).
fn unquoted(value: &str) -> Option<Cow<'_, str>> {
    let Some(rest) = value.strip_prefix('"') else {
        return Some(Cow::Borrowed(value));
    };
    let quoted = rest.strip_suffix('"')?;
    let mut text = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return None,
            '\\' => text.push(chars.next()?),
            c => text.push(c),
        }
    }
    Some(Cow::Owned(text))
}

/// The address of a node, whose port may be hidden too: `192.0.2.43:_web` (§6.3).
fn address(node: &str) -> Option<IpAddr> {
    parse_hop(node).or_else(|| {
        let (address, port) = node.rsplit_once(':')?;
        port.strip_prefix('_').and_then(|_| parse_hop(address))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the right, as text.
    fn hops(line: &str) -> Vec<String> {
        hops_from_right(line)
            .map(|hop| hop.map_or_else(|| "-".to_owned(), |hop| hop.to_string()))
            .collect()
    }

    #[test]
    fn the_examples_of_rfc_7239_are_read() {
        for (line, expected) in [
            ("for=\"_gazonk\"", &["-"][..]),
            ("For=\"[2001:db8:cafe::17]:4711\"", &["2001:db8:cafe::17"]),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", &["192.0.2.60"]),
            (
                "for=192.0.2.43, for=198.51.100.17",
                &["198.51.100.17", "192.0.2.43"],
            ),
            ("for=_hidden, for=_SEVKISEK", &["-", "-"]),
            ("for=\"192.0.2.43:47011\"", &["192.0.2.43"]),
            ("for=\"[2001:db8:cafe::17]:_web\"", &["2001:db8:cafe::17"]),
            ("for=192.0.2.43:_web", &["192.0.2.43"]),
            ("for=unknown", &["-"]),
        ] {
            assert_eq!(hops(line), expected, "{line}");
        }
    }

    #[test]
    fn quotes_hold_commas_semicolons_and_escapes() {
        for (line, expected) in [
            (r#"for=192.0.2.1;host="a, for=6.6.6.6""#, &["192.0.2.1"][..]),
            (r#"host="a;for=6.6.6.6";for=192.0.2.1"#, &["192.0.2.1"]),
            (
                r#"host="a\", for=6.6.6.6;x=\"";for=192.0.2.1"#,
                &["192.0.2.1"],
            ),
            (r#"host="a\\";for=192.0.2.1"#, &["192.0.2.1"]),
            (r#"for="\192.0.2.1""#, &["192.0.2.1"]),
        ] {
            assert_eq!(hops(line), expected, "{line}");
        }
    }

    #[test]
    fn what_names_no_client_or_two_is_no_hop() {
        for line in [
            "",
            ";",
            "by=192.0.2.1",
            "192.0.2.1",
            "for=",
            "for=192.0.2.1;for=192.0.2.2",
            "for=\"192.0.2.1",
            "for=192.0.2.1\"",
            "for=\"192\".0.2.1\"",
            "for=192.0.2.1:web",
        ] {
            assert_eq!(hops(line), ["-"], "{line}");
        }
        assert_eq!(hops("for=192.0.2.1,,"), ["-", "-", "192.0.2.1"]);
    }

    proptest::proptest! {
        /// Whatever stands to the left of it.
        #[test]
        fn what_our_proxy_wrote_is_read_first(written in "[ -~]{0,40}") {
            let line = format!("{written}, for=\"[2001:db8::7]:4711\";proto=https");
            proptest::prop_assert_eq!(hops(&line).swap_remove(0), "2001:db8::7");
        }
    }
}
