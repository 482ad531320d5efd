//! The host that a request names, and whether this server answers to it.

use std::net::IpAddr;

use actix_web::dev::RequestHead;
use actix_web::http::header::HOST;

use super::error_code::ErrorCode;
use super::settings::Settings;

/// # Errors
/// `MalformedRequest` for two `Host` fields, or one that is no host (RFC 9112 §3.2). `MisdirectedRequest` in `hallpass
/// dev` for a name that is neither `PUBLIC_URL`'s nor the machine's own: a page whose name is made to lead to 127.0.0.1
/// must not read the mailbox (DNS rebinding; RFC 9110 §7.4).
pub(super) fn check(head: &RequestHead, settings: &Settings) -> Result<(), ErrorCode> {
    let mut fields = head.headers.get_all(HOST);
    let host = match (fields.next(), fields.next()) {
        (_, Some(_)) => return Err(ErrorCode::MalformedRequest),
        (None, None) => None,
        (Some(field), None) => {
            let host = field.to_str().ok().and_then(name_of);
            Some(host.ok_or(ErrorCode::MalformedRequest)?)
        }
    };
    // The target may be a whole URL, whose host then counts.
    let named = [host, head.uri.host()];
    if !settings.own_hosts_only || named.iter().flatten().all(|host| is_own(host, settings)) {
        Ok(())
    } else {
        Err(ErrorCode::MisdirectedRequest)
    }
}

fn is_own(host: &str, settings: &Settings) -> bool {
    let public = settings.public_url.host_str();
    public.is_some_and(|own| own.eq_ignore_ascii_case(host)) || is_loopback(host)
}

/// The host without its port; `None` if it is neither a name nor an address (RFC 3986 §3.2.2).
pub(super) fn name_of(field: &str) -> Option<&str> {
    let end = match field.strip_prefix('[') {
        Some(address) => address.find(']')? + 2,
        None => field.find(':').unwrap_or(field.len()),
    };
    let (host, port) = field.split_at_checked(end)?;
    let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    let is_good = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    let is_name = host
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&b));
    (is_good && (is_name || address(host).is_some())).then_some(host)
}

fn address(host: &str) -> Option<IpAddr> {
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match inner {
        Some(v6) => v6.parse().ok().map(IpAddr::V6),
        None => host.parse().ok().map(IpAddr::V4),
    }
}

/// Whether a name always leads to this machine: `localhost` and names below it (RFC 6761 §6.3), and loopback addresses.
fn is_loopback(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || address(&name).is_some_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        for (field, host) in [
            ("", Some("")),
            ("acme.example", Some("acme.example")),
            ("acme.example:8080", Some("acme.example")),
            ("127.0.0.1:1", Some("127.0.0.1")),
            ("[::1]", Some("[::1]")),
            ("[::1]:8080", Some("[::1]")),
            ("a b@c/d", None),
            ("user@acme.example", None),
            ("acme.example/x", None),
            ("acme.example:80a", None),
            ("acme.example:80:80", None),
            ("[::1", None),
            ("[::1]x", None),
            ("[acme]", None),
            ("::1", None),
        ] {
            assert_eq!(name_of(field), host, "{field}");
        }
    }

    #[test]
    fn only_names_that_lead_to_this_machine_are_loopback() {
        for own in [
            "localhost",
            "LOCALHOST.",
            "acme.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is_loopback(own), "{own}");
        }
        for foreign in [
            "",
            "evil.example",
            "localhost.evil.example",
            "notlocalhost",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "[::2]",
            "0.0.0.0",
        ] {
            assert!(!is_loopback(foreign), "{foreign}");
        }
    }
}
