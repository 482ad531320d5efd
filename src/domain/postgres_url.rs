//! URLs of PostgreSQL as libpq writes them
//! (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS>).

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use percent_encoding::percent_decode_str;

const DEFAULT_PORT: u16 = 5432;

/// A server, by name, by address or by the directory of its socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresHost {
    /// A name, an address or an absolute path; empty where only the address is given.
    pub name: String,
    /// Connects here instead of looking the name up.
    pub address: Option<IpAddr>,
    pub port: u16,
}

/// `target_session_attrs`: which of several servers to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionAttributes {
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

const WORDS: [(&str, SessionAttributes); 6] = [
    ("any", SessionAttributes::Any),
    ("read-write", SessionAttributes::ReadWrite),
    ("read-only", SessionAttributes::ReadOnly),
    ("primary", SessionAttributes::Primary),
    ("standby", SessionAttributes::Standby),
    ("prefer-standby", SessionAttributes::PreferStandby),
];

/// One or several servers, the database, and how to connect.
#[derive(Clone)]
pub struct PostgresUrl {
    pub hosts: Vec<PostgresHost>,
    pub session_attributes: SessionAttributes,
    /// All other parameters, `user`, `password` and `dbname` among them.
    pub parameters: Vec<(String, String)>,
    shown: String,
}

impl PostgresUrl {
    /// Parses `postgres://user:password@host1:port1,host2:port2/database?parameter=value`. Hosts of the parameter
    /// `host` are added to the others. In `options`, a plus sign is a space.
    ///
    /// # Errors
    /// A sentence that does not contain the URL, which holds a password.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").ok_or("It has no `//`.")?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, servers) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));

        let (mut names, mut addresses, mut ports) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(port) = servers.strip_prefix(':') {
            ports.push(decoded(port)?);
        } else if !servers.is_empty() {
            for server in servers.split(',') {
                let (name, port) = split_port(server)?;
                names.push(decoded(name)?);
                ports.push(decoded(port)?);
            }
        }
        let mut parameters = Vec::new();
        let mut session_attributes = SessionAttributes::Any;
        for (key, value) in [("user", user), ("password", password), ("dbname", database)] {
            if !value.is_empty() {
                parameters.push((key.to_owned(), decoded(value)?));
            }
        }
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (key, value) = parameter
                .split_once('=')
                .ok_or("One of its parameters has no `=`.")?;
            let (key, value) = (decoded(key)?, value);
            let value = if key == "options" {
                decoded(&value.replace('+', " "))?
            } else {
                decoded(value)?
            };
            match key.as_str() {
                "host" => names.extend(value.split(',').map(str::to_owned)),
                "hostaddr" => addresses.extend(value.split(',').map(str::to_owned)),
                "port" => ports.extend(value.split(',').map(str::to_owned)),
                "target_session_attrs" => {
                    let known = WORDS.iter().find(|(word, _)| *word == value);
                    session_attributes =
                        known.map(|(_, attributes)| *attributes).ok_or_else(|| {
                            let words = WORDS.map(|(word, _)| word).join(", ");
                            format!("Its target_session_attrs is none of {words}.")
                        })?;
                }
                _ => parameters.push((key, value)),
            }
        }
        let user = if user.is_empty() {
            String::new()
        } else {
            format!("{user}@")
        };
        Ok(Self {
            hosts: hosts(&names, &addresses, &ports)?,
            session_attributes,
            parameters,
            shown: format!("{scheme}://{user}{servers}/{database}"),
        })
    }
}

/// Where it is, without password and parameters.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8().map(Cow::into_owned);
    decoded.map_err(|_| "It is not UTF-8 where percent-encoded.".to_owned())
}

/// A host, or an IPv6 address in brackets, and the port, which is empty where there is none.
fn split_port(server: &str) -> Result<(&str, &str), String> {
    let Some(address) = server.strip_prefix('[') else {
        return Ok(server.split_once(':').unwrap_or((server, "")));
    };
    match address.split_once(']') {
        Some((address, "")) => Ok((address, "")),
        Some((address, port)) if port.starts_with(':') => {
            Ok((address, port.trim_start_matches(':')))
        }
        _ => Err("An address in brackets is not closed, or not followed by a port.".to_owned()),
    }
}

fn hosts(
    names: &[String],
    addresses: &[String],
    ports: &[String],
) -> Result<Vec<PostgresHost>, String> {
    let count = names.len().max(addresses.len());
    if count == 0 || names.iter().any(String::is_empty) {
        return Err("It does not name a host, or leaves one empty.".to_owned());
    }
    if !names.is_empty() && !addresses.is_empty() && names.len() != addresses.len() {
        return Err("It has another number of hostaddr than of hosts.".to_owned());
    }
    if ports.len() > 1 && ports.len() != count {
        return Err("It has another number of ports than of hosts.".to_owned());
    }
    let host = |index: usize| {
        let port = match ports.get(index).or(ports.first()).map(String::as_str) {
            None | Some("") => Some(DEFAULT_PORT),
            Some(port) => port.parse().ok().filter(|&port| port > 0),
        };
        let address = addresses
            .get(index)
            .map(|address| address.parse::<IpAddr>());
        Ok(PostgresHost {
            name: names.get(index).cloned().unwrap_or_default(),
            address: address
                .transpose()
                .map_err(|_| "A hostaddr is not an IP address.")?,
            port: port.ok_or("A port is not a number from 1 to 65535.")?,
        })
    };
    (0..count).map(host).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts_of(url: &str) -> String {
        let url = PostgresUrl::parse(url).unwrap();
        let host = |host: &PostgresHost| match host.address {
            Some(address) => format!("{}={address}:{}", host.name, host.port),
            None => format!("{}:{}", host.name, host.port),
        };
        url.hosts.iter().map(host).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn hosts_are_read_as_libpq_writes_them() {
        for (url, hosts) in [
            ("postgres://h1:1,h2:2/db", "h1:1 h2:2"),
            ("postgresql://h1,h2/db", "h1:5432 h2:5432"),
            ("postgres://h1,h2:2", "h1:5432 h2:2"),
            (
                "postgres://[::1]:1,[fe80::2],10.0.0.1/db",
                "::1:1 fe80::2:5432 10.0.0.1:5432",
            ),
            ("postgres:///db?host=h1,h2&port=1,2", "h1:1 h2:2"),
            ("postgres:///db?host=h1,h2&port=1", "h1:1 h2:1"),
            ("postgres:///db?host=h1,h2&port=1,", "h1:1 h2:5432"),
            ("postgres://h1:1/db?host=h2&port=2", "h1:1 h2:2"),
            (
                "postgres:///db?host=/run/postgresql",
                "/run/postgresql:5432",
            ),
            (
                "postgres://@:1/db?host=%2Frun%2Fpostgresql",
                "/run/postgresql:1",
            ),
            ("postgres://%2Frun%2Fpostgresql:1/db", "/run/postgresql:1"),
            (
                "postgres://h1,h2/db?hostaddr=10.0.0.1,::1",
                "h1=10.0.0.1:5432 h2=::1:5432",
            ),
            ("postgres:///db?hostaddr=10.0.0.1", "=10.0.0.1:5432"),
        ] {
            assert_eq!(hosts_of(url), hosts, "{url}");
        }
    }

    #[test]
    fn an_unusable_url_is_refused_without_repeating_it() {
        for url in [
            "postgres:hunter2",
            "postgres://",
            "postgres:///hunter2",
            "postgres://ada:hunter2@,h2/a",
            "postgres://ada:hunter2@h:port/a",
            "postgres://ada:hunter2@h:0/a",
            "postgres://ada:hunter2@h:70000/a",
            "postgres://ada:hunter2@[::1/a",
            "postgres://ada:hunter2@[::1]5432/a",
            "postgres://ada:hunter2@h1,h2/a?hostaddr=10.0.0.1",
            "postgres://ada:hunter2@h1/a?hostaddr=hunter2",
            "postgres://ada:hunter2@/a?host=h1,h2,h3&port=1,2",
            "postgres://ada:hunter2@h/a?target_session_attrs=writable",
            "postgres://ada:hunter2@h/a?hunter2",
            "postgres://ada:hunter2%FF@h/a",
        ] {
            let why = PostgresUrl::parse(url).unwrap_err();
            assert!(!why.contains("hunter2"), "{why}");
        }
    }

    #[test]
    fn parameters_are_decoded_and_only_options_read_a_plus_as_a_space() {
        let url =
            "postgres://a%20da:p+w%40@h/d%2Fb?options=-c%20a=1+-c%20b=%2B2&application_name=a+b";
        let parameters = PostgresUrl::parse(url).unwrap().parameters;
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(key, value)| format!("{key} {value}"))
            .collect();
        let expected = [
            "user a da",
            "password p+w@",
            "dbname d/b",
            "options -c a=1 -c b=+2",
            "application_name a+b",
        ];
        assert_eq!(parameters, expected);
    }

    #[test]
    fn every_word_of_libpq_is_read() {
        for (word, attributes) in WORDS {
            let url = PostgresUrl::parse(&format!("postgres://h/db?target_session_attrs={word}"));
            assert_eq!(url.unwrap().session_attributes, attributes);
        }
    }

    #[test]
    fn what_is_shown_has_neither_password_nor_parameters() {
        let url = PostgresUrl::parse("postgres://ada:pw@h1:1,h2/a?password=pw").unwrap();
        assert_eq!(
            format!("{url} {url:?}"),
            "postgres://ada@h1:1,h2/a PostgresUrl(postgres://ada@h1:1,h2/a)"
        );
    }
}
