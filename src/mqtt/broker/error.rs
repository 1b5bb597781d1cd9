//! Why the embedded broker can't start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;

/// Why the embedded broker could not start.
#[derive(Debug, Error)]
pub enum BrokerError {
    /// `broker.listen` can't be read.
    #[error(
        "broker.listen: \"{listen}\" is not an address to listen on: {problem}; expected for example \"127.0.0.1:1883\""
    )]
    Listen {
        /// As configured.
        listen: String,
        /// What the system says.
        problem: io::Error,
    },
    /// Somebody listens there already.
    #[error(
        "broker.listen: {address} is in use: a broker seems to be running there. To use that one, set mqtt.url = \
         \"mqtt://{reachable}\"; to run the embedded one beside it, set another broker.listen, for example \
         \"{ip}:{other}\"", ip = address.ip(), other = address.port().wrapping_add(1).max(1024)
    )]
    InUse {
        /// The address.
        address: SocketAddr,
        /// The same, as a client on this machine reaches it.
        reachable: String,
    },
    /// The system doesn't allow it.
    #[error("broker.listen: cannot listen on {address}: {problem}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        problem: io::Error,
    },
    /// It would be open to the network without a password.
    #[error("broker.listen: {0}")]
    Open(String),
    /// The folder for its retained messages can't be one.
    #[error("broker.storage: cannot use {}: {} is a file", folder.display(), file.display())]
    Storage {
        /// As configured.
        folder: PathBuf,
        /// What stands in its place.
        file: PathBuf,
    },
    /// The system has no random numbers.
    #[error("the embedded broker did not start: {0}")]
    Start(String),
}
