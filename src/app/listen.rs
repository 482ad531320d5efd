//! The socket that people connect to.

use std::io;
use std::net::{SocketAddr, TcpListener};

use tokio::net::TcpSocket;

/// Connections that the system holds until they are accepted. The standard library allows 128; what a storm
/// brings beyond that is dropped and tried again by the client a second later.
const WAITING: u32 = 2048;

/// Binds `address` (port 0 picks a free one), within a runtime.
///
/// # Errors
/// As the system says.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // A restart need not wait for old connections. On Windows it would let two programs share a port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)?.into_std()
}

// Elsewhere the system allows fewer, whatever is asked for.
#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::TcpStream;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn five_hundred_connect_before_anybody_is_accepted() {
        let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let connect = |_| TcpStream::connect_timeout(&address, Duration::from_millis(900));
        let connected: Vec<_> = (0..500).map_while(|n| connect(n).ok()).collect();
        assert_eq!(connected.len(), 500);
    }

    #[tokio::test]
    async fn a_port_is_given_once() {
        let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
        let again = listen(listener.local_addr().unwrap());
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
