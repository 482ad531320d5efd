//! The addresses the server listens on, its public URL, and access from other origins.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use url::Url;

use super::addresses::{base_url, contact, network, origin};
use super::reader::Reader;
use super::setting_error::{Problem, quoted};
use super::settings::{
    CORS_ALLOWED_ORIGINS, DRAIN_TIME, HOST, METRICS_ADDR, PORT, PUBLIC_URL, RATE_LIMITS,
    SECURITY_CONTACT, TRUSTED_PROXIES, TRUSTED_PROXY_HEADER,
};
use super::values::{duration, one_of, switch};
use crate::domain::ProxyHeader;
use crate::domain::lifetimes::DrainTime;

#[derive(Debug, Clone)]
pub struct Server {
    pub host: IpAddr,
    /// 0 picks a free port.
    pub port: u16,
    pub public_url: Url,
    /// Exact origins, serialised as browsers send them.
    pub cors_allowed_origins: Vec<String>,
    pub trusted_proxies: Vec<IpNet>,
    pub proxy_header: ProxyHeader,
    pub rate_limits: bool,
    /// The address that serves `/metrics`; `None` turns metrics off.
    pub metrics_addr: Option<SocketAddr>,
    /// Contacts for security reports, in order of preference.
    pub security_contacts: Vec<Url>,
    pub drain_time: DrainTime,
}

impl Server {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let host = reader.value(&HOST, |text| {
            text.parse::<IpAddr>().map_err(|_| {
                Problem::new(
                    format!("{} is not an IP address.", quoted(text)),
                    "Use 127.0.0.1 for this machine only, or 0.0.0.0 for all interfaces.",
                )
            })
        });
        let port = reader.value(&PORT, |text| {
            text.parse::<u16>().map_err(|_| {
                Problem::new(
                    format!("{} is not a port.", quoted(text)),
                    "Use a number from 0 to 65535.",
                )
            })
        });
        let public_url = reader.value(&PUBLIC_URL, base_url);
        let cors_allowed_origins = reader.list(&CORS_ALLOWED_ORIGINS, origin);
        let trusted_proxies = reader.list(&TRUSTED_PROXIES, network);
        let proxy_header = reader.value(
            &TRUSTED_PROXY_HEADER,
            one_of(&[
                ("x-forwarded", ProxyHeader::XForwarded),
                ("forwarded", ProxyHeader::Forwarded),
            ]),
        );
        let rate_limits = reader.value(&RATE_LIMITS, switch);
        let metrics_addr = reader.value(&METRICS_ADDR, |text| {
            text.parse::<SocketAddr>().map_err(|_| {
                Problem::new(
                    format!("{} is not an address with a port.", quoted(text)),
                    "Use an address such as 127.0.0.1:9090.",
                )
            })
        });
        let security_contacts = reader.list(&SECURITY_CONTACT, contact);
        let drain_time = reader.value(&DRAIN_TIME, duration);
        let address = SocketAddr::new(host?, port?);
        let public_url = match public_url {
            Some(url) => url,
            None => Url::parse(&format!("http://{address}")).ok()?,
        };
        if metrics_addr == Some(address) && address.port() != 0 {
            let why = "The API already uses this address.";
            reader.report(&METRICS_ADDR, Problem::new(why, "Use another port."));
        }
        Some(Self {
            host: address.ip(),
            port: address.port(),
            public_url,
            cors_allowed_origins,
            trusted_proxies,
            proxy_header: proxy_header?,
            rate_limits: rate_limits?,
            metrics_addr,
            security_contacts,
            drain_time: drain_time?,
        })
    }

    /// Whether a reverse proxy must be in front, because of https, but none is trusted.
    pub fn lacks_a_proxy(&self) -> bool {
        self.public_url.scheme() == "https" && self.trusted_proxies.is_empty()
    }

    pub fn is_on_loopback(&self) -> bool {
        self.host.to_canonical().is_loopback()
    }
}
