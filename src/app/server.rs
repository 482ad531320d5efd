//! The HTTP server: what `actix_web::HttpServer` does, over sockets that keep time.

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

/// Longer than the idle time of common proxies, so that it is they who close a connection and not a
/// request that finds it closed.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

const PATIENCE: Timeouts = Timeouts {
    head: Duration::from_secs(5),
    idle: KEEP_ALIVE,
    answer: Duration::from_secs(8),
};

/// For who was told that the connection ends to end it as well.
const GOODBYE: Duration = Duration::from_secs(5);

/// Started requests may finish this long after the stop; with the drain before it, under ten seconds.
const SHUTDOWN_SECONDS: u64 = 8;

/// A server that runs when it is awaited: a worker for each core, each with an application of its own.
///
/// # Errors
/// When the listener cannot be used.
pub fn server<F, S>(listener: TcpListener, app: F) -> io::Result<Server>
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
            .client_request_timeout(PATIENCE.head)
            .client_disconnect_timeout(GOODBYE)
            // Whoever hangs up wants no answer; what is computed for it is given up.
            .h1_allow_half_closed(false)
            .graceful_shutdown_signal(move || {
                let stop = stop.clone();
                async move { stop.notified().await }
            })
            .local_addr(address)
            .on_connect_ext(|socket: &Connection<TcpStream>, data| {
                data.insert(socket.progress());
            })
            // Nobody asks it anything: URLs come from `PUBLIC_URL`.
            .h1(map_config(app, |()| AppConfig::default()));
        fn_service(|socket: TcpStream| {
            let peer = socket.peer_addr().ok();
            ready(Ok((Connection::new(socket, PATIENCE), peer)))
        })
        .and_then(http)
    })?;
    Ok(builder.run())
}
