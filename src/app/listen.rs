//! The listening socket.

use std::io;
use std::net::{SocketAddr, TcpListener};

use tokio::net::TcpSocket;

/// The backlog of connections waiting to be accepted. The standard library uses 128; during a burst, connections
/// beyond that are dropped, and clients retry only after a second.
const BACKLOG: u32 = 2048;

/// Binds `address` (port 0 picks a free one), within a runtime.
///
/// # Errors
/// The error of the operating system.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // So that a restart need not wait for old connections. On Windows it would allow two programs to share a port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

// Other systems limit the backlog to less.
#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::TcpStream;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn five_hundred_can_connect_before_the_first_is_accepted() {
        let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let connect = |_| TcpStream::connect_timeout(&address, Duration::from_millis(900));
        let connected: Vec<_> = (0..500).map_while(|n| connect(n).ok()).collect();
        assert_eq!(connected.len(), 500);
    }

    #[tokio::test]
    async fn a_port_can_only_be_bound_once() {
        let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
        let again = listen(listener.local_addr().unwrap());
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
