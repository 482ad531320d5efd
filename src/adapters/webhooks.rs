//! Sends events to webhooks over HTTPS, to public addresses only.
//!
//! The address of a connection is one that [`PublicAddresses`] has let through: names are looked up there and nowhere
//! else, and no proxy of the environment is used, which would look them up again.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reqwest::StatusCode;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use tokio::net::lookup_host;
use tokio::time::timeout;

use crate::domain::WebhookUrl;
use crate::domain::public_address::is_public;
use crate::domain::webhook::Place;
use crate::ports::WebhookSender;
use crate::ports::webhook_sender::{Answer, Inadmissible, SignedRequest};

/// For one request, from the look-up of its host to the head of the answer, whose body is not read.
const TIMEOUT: Duration = Duration::from_secs(15);

/// For the look-up of a name that somebody waits for.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(3);

pub struct Webhooks {
    client: reqwest::Client,
    allow_private: bool,
}

impl Webhooks {
    /// With `allow_private`, every address and plain HTTP are allowed.
    ///
    /// # Errors
    /// When the system offers no TLS.
    pub fn new(allow_private: bool) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(rustls::RootCertStore {
                roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
            })
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .redirect(Policy::none())
            .dns_resolver(Arc::new(PublicAddresses { allow_private }))
            .https_only(!allow_private)
            .timeout(TIMEOUT)
            .pool_max_idle_per_host(0)
            .user_agent(concat!("hallpass/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            client,
            allow_private,
        })
    }

    /// Whether a connection may be tried, as far as the URL itself tells. An address in it is not looked up.
    fn judge(&self, url: &WebhookUrl) -> Result<(), Inadmissible> {
        match url.place() {
            _ if self.allow_private => Ok(()),
            _ if !url.is_encrypted() => Err(Inadmissible::NotEncrypted),
            Place::NotPublic => Err(Inadmissible::NotPublic),
            Place::Public | Place::Named(_) => Ok(()),
        }
    }

    async fn ask(&self, request: &SignedRequest<'_>) -> Answer {
        match self.judge(request.url) {
            Ok(()) => {}
            Err(Inadmissible::NotEncrypted) => return Answer::Nothing("not_encrypted"),
            Err(Inadmissible::NotPublic) => return Answer::Nothing(NotPublic::CODE),
        }
        let answer = self
            .client
            .post(request.url.url().clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &request.id)
            .header("webhook-timestamp", request.timestamp)
            .header("webhook-signature", &request.signature)
            .body(request.body.clone())
            .send()
            .await;
        match answer {
            Ok(answer) => Answer::Status {
                status: answer.status().as_u16(),
                retry_after: retry_after(answer.status(), answer.headers()),
            },
            Err(error) => Answer::Nothing(reason(&error)),
        }
    }
}

impl WebhookSender for Webhooks {
    fn admit<'a>(&'a self, url: &'a WebhookUrl) -> BoxFuture<'a, Result<(), Inadmissible>> {
        async move {
            self.judge(url)?;
            if let (Place::Named(host), false) = (url.place(), self.allow_private) {
                let found = timeout(LOOK_UP_TIMEOUT, public_addresses(host)).await;
                if !matches!(found, Ok(Ok(_))) {
                    return Err(Inadmissible::NotPublic);
                }
            }
            Ok(())
        }
        .boxed()
    }

    fn send<'a>(&'a self, request: &'a SignedRequest<'a>) -> BoxFuture<'a, Answer> {
        self.ask(request).boxed()
    }
}

/// Seconds. A date, which the header may be as well, is too rare for a second clock here: our own pause applies.
fn retry_after(status: StatusCode, headers: &HeaderMap) -> Option<u32> {
    if status.is_success() {
        return None;
    }
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

/// In our own words, because the texts of others name addresses.
fn reason(error: &reqwest::Error) -> &'static str {
    if is_caused_by::<NotPublic>(error) {
        NotPublic::CODE
    } else if is_caused_by::<NotFound>(error) {
        "host_not_found"
    } else if error.is_timeout() {
        "timed_out"
    } else if is_caused_by::<rustls::Error>(error) {
        "tls_failed"
    } else if error.is_connect() {
        "not_connected"
    } else {
        "connection_lost"
    }
}

fn is_caused_by<E: Error + 'static>(error: &reqwest::Error) -> bool {
    causes(error).any(<dyn Error>::is::<E>)
}

/// The error and all that it was caused by; those inside of an I/O error are not its source.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&cause| {
        let io = cause.downcast_ref::<std::io::Error>();
        match io.and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => cause.source(),
        }
    })
}

/// Looks names up for connections.
struct PublicAddresses {
    allow_private: bool,
}

impl Resolve for PublicAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = if allow_private {
                addresses(name.as_str()).await?
            } else {
                public_addresses(name.as_str()).await?
            };
            let found = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(found) as Addrs)
        })
    }
}

/// The host has no address.
#[derive(Debug)]
struct NotFound;

/// The host has no public address.
#[derive(Debug)]
struct NotPublic;

impl NotPublic {
    const CODE: &'static str = "host_not_public";
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the host has no address")
    }
}

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the host has no public address")
    }
}

impl Error for NotFound {}

impl Error for NotPublic {}

async fn addresses(host: &str) -> Result<Vec<IpAddr>, Box<dyn Error + Send + Sync>> {
    let found = lookup_host((host, 0)).await.map_err(|_| NotFound)?;
    Ok(found.map(|address| address.ip()).collect())
}

async fn public_addresses(host: &str) -> Result<Vec<IpAddr>, Box<dyn Error + Send + Sync>> {
    let mut found = addresses(host).await?;
    found.retain(|address| is_public(*address));
    if found.is_empty() {
        return Err(NotPublic.into());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;

    fn url(text: &str) -> WebhookUrl {
        WebhookUrl::parse(text).unwrap()
    }

    async fn sent(sender: &Webhooks, url: &WebhookUrl) -> Answer {
        let request = SignedRequest {
            url,
            id: "1".to_owned(),
            timestamp: 1,
            signature: "v1,".to_owned(),
            body: "{}".to_owned(),
        };
        sender.send(&request).await
    }

    #[tokio::test]
    async fn no_connection_is_made_to_an_address_that_is_not_public() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let sender = Webhooks::new(false).unwrap();
        for host in [
            "127.0.0.1",
            "localhost",
            "LOCALHOST.",
            "[::ffff:127.0.0.1]",
            "0",
        ] {
            let url = url(&format!("https://{host}:{port}/"));
            assert_eq!(
                sender.admit(&url).await,
                Err(Inadmissible::NotPublic),
                "{host}"
            );
            let answer = sent(&sender, &url).await;
            // A resolver may not know the one with the dot.
            let refused = [NotPublic::CODE, "host_not_found"].map(Answer::Nothing);
            assert!(refused.contains(&answer), "{host}: {answer:?}");
        }
        let accepted = timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(accepted.is_err(), "somebody connected");
        // The same listener is reached as soon as it is allowed.
        let sender = Webhooks::new(true).unwrap();
        let url = url(&format!("http://localhost:{port}/"));
        assert_eq!(sender.admit(&url).await, Ok(()));
        let (answer, heard) = tokio::join!(sent(&sender, &url), async {
            let (mut connection, _) = listener.accept().await.unwrap();
            connection.read_u8().await.unwrap()
        });
        assert_eq!((answer, heard), (Answer::Nothing("connection_lost"), b'P'));
    }

    #[tokio::test]
    async fn without_encryption_nothing_is_sent() {
        let sender = Webhooks::new(false).unwrap();
        let url = url("http://1.1.1.1/");
        assert_eq!(sender.admit(&url).await, Err(Inadmissible::NotEncrypted));
        assert_eq!(sent(&sender, &url).await, Answer::Nothing("not_encrypted"));
    }

    #[test]
    fn only_failures_say_when_to_try_again() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, " 120 ".parse().unwrap());
        assert_eq!(
            retry_after(StatusCode::SERVICE_UNAVAILABLE, &headers),
            Some(120)
        );
        assert_eq!(retry_after(StatusCode::OK, &headers), None);
        headers.insert(RETRY_AFTER, "-1".parse().unwrap());
        assert_eq!(retry_after(StatusCode::SERVICE_UNAVAILABLE, &headers), None);
    }
}
