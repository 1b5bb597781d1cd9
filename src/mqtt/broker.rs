//! A broker inside the program, for the start without any set-up, the demo and quick tests.
//!
//! It is no more than that: one plain listener where the configuration says, no passwords, a limit on everything.
//! A home that is lived in is better served by Mosquitto. This library sends the client id of a publisher to every
//! MQTT 5 subscriber, and has no setting to prevent that.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mqtt5::broker::MqttBroker;
use mqtt5::broker::config::{AuthConfig, BrokerConfig, RateLimitConfig, StorageBackend, StorageConfig};
use mqtt5::broker::server::BrokerShutdownHandle;
use thiserror::Error;
use tokio::net::{TcpListener, lookup_host};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::address::Address;
use super::tls::install_crypto_provider;

/// Connections at once: a home has dozens of devices.
const CLIENTS: usize = 256;

/// A session outlives its connection for at most this long, whatever the client asks for.
const SESSION_EXPIRY: Duration = Duration::from_secs(24 * 3600);

const SUBSCRIPTIONS_PER_CLIENT: usize = 1_000;
const RETAINED_MESSAGES: usize = 20_000;

/// Messages and bytes kept for a client that is away.
const QUEUED_MESSAGES: usize = 1_000;
const QUEUED_BYTES: usize = 4 * 1024 * 1024;

/// Messages that wait for a slow client; QoS 0 beyond that is dropped.
const CHANNEL: usize = 10_000;

/// How long the start and the end may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// It has so long to pass on the last words of those who leave before it ends: it confirms what it has not passed on yet,
/// and its end passes nothing on.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A broker that runs. Dropping it ends it at once; [`Embedded::shutdown`] lets it write its storage first.
#[derive(Debug)]
#[must_use = "the broker ends when this is dropped"]
pub struct Embedded {
    address: SocketAddr,
    shutdown: Shutdown,
    task: JoinHandle<()>,
}

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
    /// The folder for its retained messages.
    #[error("broker.storage: cannot use {}: {problem}", folder.display())]
    Storage {
        /// As configured.
        folder: PathBuf,
        /// What the system says.
        problem: io::Error,
    },
    /// Everything else.
    #[error("the embedded broker did not start: {0}")]
    Start(String),
}

/// Starts a broker that listens on `listen`, where port 0 lets the system choose one, and returns once it accepts
/// connections. Retained messages go to the folder `storage`; without one they are gone with the program.
/// `max_packet_size` is in bytes.
///
/// # Errors
/// Names the key that cannot work, and for an address in use what to write instead.
pub async fn start(listen: &str, storage: Option<&Path>, max_packet_size: u32) -> Result<Embedded, BrokerError> {
    install_crypto_provider();
    let address = resolve(listen).await?;
    if !address.ip().is_loopback() {
        tracing::warn!(
            "the embedded broker asks for no password, and {address} can be reached from the network: whoever reaches \
             it commands the tasks"
        );
    }
    if let Some(folder) = storage {
        let unusable = |problem| BrokerError::Storage { folder: folder.to_path_buf(), problem };
        std::fs::create_dir_all(folder).map_err(unusable)?;
    }
    let mut broker = match MqttBroker::with_config(guarded(storage, address, max_packet_size)).await {
        Ok(broker) => broker,
        Err(problem) => return Err(explain(address, &problem.to_string()).await),
    };
    let no_listener = || BrokerError::Start("it has no listener".into());
    let address = broker.local_addr().ok_or_else(no_listener)?;
    let (mut ready, shutdown) = (broker.ready_receiver(), Shutdown(broker.shutdown_handle()));
    let task = tokio::spawn(async move {
        if let Err(problem) = broker.run().await {
            tracing::error!("the embedded broker ended: {problem}");
        }
    });
    let embedded = Embedded { address, shutdown, task };
    match timeout(PATIENCE, ready.wait_for(|ready| *ready)).await {
        Ok(Ok(_)) => Ok(embedded),
        _ => Err(BrokerError::Start("it did not get ready; is broker.storage damaged?".into())),
    }
}

impl Embedded {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Passes on what it has confirmed, disconnects everybody, writes the storage and ends.
    pub async fn shutdown(mut self) {
        sleep(LAST_WORDS).await;
        self.shutdown.0.shutdown();
        if timeout(PATIENCE, &mut self.task).await.is_err() {
            tracing::warn!("the embedded broker took too long to end");
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.shutdown.0.shutdown();
        self.task.abort();
    }
}

/// Exists for `Debug`.
struct Shutdown(BrokerShutdownHandle);

impl std::fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shutdown")
    }
}

/// Every setting that matters is named here: the library's defaults are meant for a public server.
fn guarded(storage: Option<&Path>, address: SocketAddr, max_packet_size: u32) -> BrokerConfig {
    let packet = max_packet_size as usize;
    let storage_config = StorageConfig {
        backend: if storage.is_some() { StorageBackend::File } else { StorageBackend::Memory },
        // Its default is the current folder; in memory it is never looked at.
        base_dir: storage.map(Path::to_path_buf).unwrap_or_default(),
        enable_persistence: true,
        max_queued_messages_per_client: QUEUED_MESSAGES,
        max_queued_bytes_per_client: QUEUED_BYTES,
        ..StorageConfig::default()
    };
    // Anonymous on purpose: without any set-up nobody knows a password. And where nobody logs in, nobody
    // must be locked out for bad logins either; it would hit the loopback address, that is, everybody.
    let auth = AuthConfig {
        allow_anonymous: true,
        rate_limit: RateLimitConfig { enabled: false, ..RateLimitConfig::default() },
        ..AuthConfig::default()
    };
    BrokerConfig {
        bind_addresses: vec![address],
        max_clients: CLIENTS,
        session_expiry_interval: SESSION_EXPIRY,
        max_packet_size: packet,
        topic_alias_maximum: 0,
        retain_available: true,
        maximum_qos: 2,
        max_subscriptions_per_client: SUBSCRIPTIONS_PER_CLIENT,
        max_retained_messages: RETAINED_MESSAGES,
        max_retained_message_size: packet,
        client_channel_capacity: CHANNEL,
        auth_config: auth,
        tls_config: None,
        websocket_config: None,
        websocket_tls_config: None,
        quic_config: None,
        cluster_listener_config: None,
        storage_config,
        sys_topics_enabled: false,
        bridges: Vec::new(),
        load_balancer: None,
        event_handler: None,
        ..BrokerConfig::default()
    }
}

async fn resolve(listen: &str) -> Result<SocketAddr, BrokerError> {
    let refused = |problem| BrokerError::Listen { listen: listen.to_owned(), problem };
    let nothing = || refused(io::Error::other("it has no address"));
    lookup_host(listen).await.map_err(refused)?.next().ok_or_else(nothing)
}

/// The library returns a text. The system, asked once more, says what is wrong.
async fn explain(address: SocketAddr, problem: &str) -> BrokerError {
    match TcpListener::bind(address).await {
        Err(problem) if problem.kind() == io::ErrorKind::AddrInUse => {
            BrokerError::InUse { address, reachable: Address::of_listener(address).to_string() }
        }
        Err(problem) => BrokerError::Bind { address, problem },
        Ok(_) => BrokerError::Start(problem.to_owned()),
    }
}
