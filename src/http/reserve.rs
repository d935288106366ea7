//! The address to listen on, taken before it is listened on.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

use crate::error::{Error, Result};

/// An address that is ours, on which nobody is heard yet: clients are refused until [`Reserved::listen`].
pub struct Reserved {
    address: SocketAddr,
    socket: TcpSocket,
}

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1_024;

/// Takes an address, before anything is made that it would be useless without.
///
/// # Errors
/// `BAD_USER_INPUT` naming the address when it cannot be listened on.
pub fn reserve(address: SocketAddr) -> Result<Reserved> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    };
    let bound = socket.and_then(|socket| {
        // A server that starts again need not wait for the last one's connections to be forgotten.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    });
    match bound {
        Ok(socket) => Ok(Reserved { address, socket }),
        Err(error) => Err(taken(address, &error)),
    }
}

impl Reserved {
    /// Lets clients connect.
    ///
    /// # Errors
    /// As [`reserve`], when somebody else was faster.
    pub fn listen(self) -> Result<TcpListener> {
        let address = self.address;
        self.socket
            .listen(BACKLOG)
            .map_err(|error| taken(address, &error))
    }
}

/// An address that cannot be listened on, in words.
fn taken(address: SocketAddr, error: &std::io::Error) -> Error {
    Error::bad_input(
        "listen",
        format!(
            "{address} cannot be listened on: {error}. Is another server running there? Choose another address with KEYSTEAD_LISTEN."
        ),
    )
}
