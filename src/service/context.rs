//! The origin of a request, for sessions and the audit log.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use crate::domain::ids::RequestId;
use crate::domain::{AddressBlock, DeviceOwner};
use crate::service::Services;
use crate::store::Requester;

/// What the transport knows about the request. For the command line, that is only an id.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// The `X-Request-Id`.
    pub request_id: String,
    /// The client's address, proxies accounted for.
    pub address: Option<IpAddr>,
    /// The name of the device, made from the `User-Agent` by [`device::name_of`](crate::domain::device::name_of).
    pub device: Option<String>,
    /// Whether its route has counted the request against a bucket for calls that hash.
    pub is_counted_as_hashing: bool,
    /// `None` for programs.
    pub browser: Option<Browser>,
}

/// The browser that sent the request.
#[derive(Debug, Clone, Default)]
pub struct Browser {
    /// The marks of the users who have signed in with it; empty if there are none.
    pub marks: String,
    /// The user whom this request signs in.
    pub signed_in: Arc<OnceLock<DeviceOwner>>,
}

/// Of a client that is not authenticated.
impl From<&RequestContext> for Requester {
    fn from(context: &RequestContext) -> Self {
        context.address.map_or(Self::OPERATOR, |address| {
            Self::address(AddressBlock::from(address))
        })
    }
}

impl RequestContext {
    /// For a command of the operator.
    pub fn command_line(services: &Services) -> Self {
        Self::of_operator(services, "cli")
    }

    /// For a signal that the operator sent to the process.
    pub fn signal(services: &Services) -> Self {
        Self::of_operator(services, "signal")
    }

    /// For what is done in the background.
    pub(in crate::service) fn housekeeping(services: &Services) -> Self {
        Self::of_operator(services, "housekeeping")
    }

    fn of_operator(services: &Services, by: &str) -> Self {
        let id = RequestId::new(services.now(), services.random());
        Self {
            request_id: format!("{by}-{id}"),
            address: None,
            device: None,
            is_counted_as_hashing: false,
            browser: None,
        }
    }
}
