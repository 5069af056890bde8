//! Unix sockets that are there while we serve and gone afterwards, whatever a killed driver left.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::Duration,
};

use thiserror::Error;
use tokio::net::{UnixListener, UnixStream};
use tokio_stream::wrappers::UnixListenerStream;

/// Why there is no socket.
#[derive(Debug, Error)]
pub enum SocketError {
    /// A driver lives.
    #[error("another process serves {path}")]
    Taken {
        /// The socket.
        path: PathBuf,
    },
    /// Its directory or the socket itself cannot be made.
    #[error("cannot make the socket {path} (its path may have 107 bytes)")]
    Make {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Removes its socket when dropped.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
}

/// How often and how far apart a socket is tried that somebody serves: a tool that a killed driver was just starting
/// has its sockets until exec.
const TRIES: (u32, Duration) = (20, Duration::from_millis(50));

/// Makes a socket, in the place of a stale one.
pub async fn bind(path: &Path) -> Result<(Socket, UnixListenerStream), SocketError> {
    let fail = |source| SocketError::Make {
        path: path.to_owned(),
        source,
    };
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(fail)?;
    }
    let (mut tries, pause) = TRIES;
    while UnixStream::connect(path).await.is_ok() {
        tries -= 1;
        if tries == 0 {
            return Err(SocketError::Taken {
                path: path.to_owned(),
            });
        }
        tokio::time::sleep(pause).await;
    }
    remove(path).map_err(fail)?;
    let listener = UnixListener::bind(path).map_err(fail)?;
    Ok((
        Socket {
            path: path.to_owned(),
        },
        UnixListenerStream::new(listener),
    ))
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "the socket stays");
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn replaces_a_stale_socket_and_leaves_a_living_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plugins/csi.sock");
        fs::create_dir_all(dir.path().join("plugins")).unwrap();
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "stale");
        let (socket, listener) = bind(&path).await.unwrap();
        assert!(matches!(bind(&path).await, Err(SocketError::Taken { .. })));
        drop(listener);
        drop(socket);
        assert!(!path.exists());
    }
}
