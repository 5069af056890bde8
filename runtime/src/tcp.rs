//! TCP connections whose other end may vanish without a word.

use std::io;

use nix::sys::socket::{setsockopt, sockopt::TcpUserTimeout};
use tokio::net::TcpStream;

/// What the other machine has not acknowledged within this many milliseconds, probe or not, ends the connection: it is gone. The kernel
/// alone would try for a quarter of an hour.
const UNACKNOWLEDGED_MS: u32 = 15_000;

/// Has the kernel give the other machine up after 15 s without an acknowledgement (tcp(7), `TCP_USER_TIMEOUT`), which costs nobody a
/// message.
///
/// # Errors
/// If the kernel does not take the option.
pub fn give_up_in_time(connection: &TcpStream) -> io::Result<()> {
    Ok(setsockopt(connection, TcpUserTimeout, &UNACKNOWLEDGED_MS)?)
}

#[cfg(test)]
mod tests {
    use nix::sys::socket::{getsockopt, sockopt::TcpUserTimeout};
    use tokio::net::{TcpListener, TcpStream};

    use super::{UNACKNOWLEDGED_MS, give_up_in_time};

    #[tokio::test]
    async fn a_connection_has_a_time_for_acknowledgements() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connection = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        assert_ne!(getsockopt(&connection, TcpUserTimeout), Ok(UNACKNOWLEDGED_MS));
        give_up_in_time(&connection).unwrap();
        assert_eq!(getsockopt(&connection, TcpUserTimeout), Ok(UNACKNOWLEDGED_MS));
    }
}
