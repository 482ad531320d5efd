//! The HTTP server: like `actix_web::HttpServer`, but over sockets with timeouts.

use std::future::ready;
use std::io;
use std::net::TcpListener;
use std::time::Duration;

use actix_http::HttpService;
use actix_server::Server;
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::body::BoxBody;
use actix_web::dev::{AppConfig, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::rt::net::TcpStream;
use actix_web::{App, Error};

use crate::http::connection::{Connection, Timeouts};

/// Longer than the idle timeout of common proxies, so that the proxy closes idle connections. Otherwise a proxy could
/// send a request on a connection that we are closing.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

const TIMEOUTS: Timeouts = Timeouts {
    head: Duration::from_secs(5),
    idle: KEEP_ALIVE,
    answer: Duration::from_secs(8),
};

/// How long to wait for the client to close after `Connection: close`.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long running requests may take after the stop; together with the default `DRAIN_TIME` before it, less than ten
/// seconds.
const SHUTDOWN_SECONDS: u64 = 8;

/// A server that runs when awaited, with one worker per core, each with its own instance of the application.
///
/// # Errors
/// When the listener cannot be used.
pub(super) fn server<F, S>(listener: TcpListener, app: F) -> io::Result<Server>
where
    F: Fn() -> App<S> + Clone + Send + 'static,
    S: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<BoxBody>,
            Error = Error,
            InitError = (),
        > + 'static,
{
    let address = listener.local_addr()?;
    let builder = Server::build()
        .disable_signals()
        .shutdown_timeout(SHUTDOWN_SECONDS);
    let stop = builder.graceful_shutdown_signal();
    let builder = builder.listen("http", listener, move || {
        let stop = stop.clone();
        let app = app()
            .into_factory()
            .map_err(|error: Error| error.error_response());
        let http = HttpService::build()
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(TIMEOUTS.head)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            // When the client disconnects, cancel its request.
            .h1_allow_half_closed(false)
            .graceful_shutdown_signal(move || {
                let stop = stop.clone();
                async move { stop.notified().await }
            })
            .local_addr(address)
            .on_connect_ext(|socket: &Connection<TcpStream>, data| {
                data.insert(socket.progress());
            })
            // The default will do: URLs are built from `PUBLIC_URL` instead.
            .h1(map_config(app, |()| AppConfig::default()));
        fn_service(|socket: TcpStream| {
            let peer = socket.peer_addr().ok();
            ready(Ok((Connection::new(socket, TIMEOUTS), peer)))
        })
        .and_then(http)
    })?;
    Ok(builder.run())
}
