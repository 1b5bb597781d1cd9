//! The broker's life: it starts, tells where it listens, and ends with a goodbye to everybody.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::accept;
use super::access::{Access, Own};
use super::error::BrokerError;
use super::hub::Shared;
use super::limits::Limits;
use super::retained::Retained;
use super::store::{self, Opened, Store};
use crate::mqtt::address::Address;

/// Reading the storage may take so long, whatever the disk does.
const READING: Duration = Duration::from_secs(15);

/// What changes within this time is written once.
const TOGETHER: Duration = Duration::from_millis(200);

/// Topics that are written at once.
const BATCH: usize = 64;

/// A disk that can't be written to is tried again after this time.
const AGAIN: Duration = Duration::from_secs(30);

/// Before its end it listens for so long: what its clients have sent may still be on the way.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How long its end may take.
const GOODBYE: Duration = Duration::from_secs(3);

/// What there is to say about an embedded broker.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Address and port; port 0 lets the system choose one.
    pub listen: String,
    /// The folder for its retained messages; without one they are gone with the program.
    pub storage: Option<PathBuf>,
    /// How much it takes.
    pub limits: Limits,
    /// Who may come in.
    pub access: Access,
    /// Whether it may be reached from the network although everybody may come in.
    pub insecure: bool,
}

/// A broker that runs. Dropping it ends it at once; [`Embedded::shutdown`] says goodbye and writes its storage first.
#[derive(Debug)]
#[must_use = "the broker ends when this is dropped"]
pub struct Embedded {
    address: SocketAddr,
    shared: Arc<Shared>,
    store: Option<Store>,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts a broker with the usual limits but this one, in bytes, and without accounts: as [`start_with`].
///
/// # Errors
/// Names the key that cannot work, and for an address in use what to write instead.
pub async fn start(listen: &str, storage: Option<&Path>, max_packet_size: u32) -> Result<Embedded, BrokerError> {
    let limits = Limits { max_packet_size, ..Limits::default() };
    let storage = storage.map(Path::to_path_buf);
    start_with(Settings { listen: listen.into(), storage, limits, insecure: true, ..Settings::default() }).await
}

/// Starts a broker, and returns once it accepts connections.
///
/// # Errors
/// Names the key that cannot work, and for an address in use what to write instead.
pub async fn start_with(settings: Settings) -> Result<Embedded, BrokerError> {
    let Settings { listen, storage, limits, access, insecure } = settings;
    let address = resolve(&listen).await?;
    if !address.ip().is_loopback() && access.users.is_empty() {
        if !insecure {
            return Err(BrokerError::Open(OPEN.replace("{}", &address.to_string())));
        }
        tracing::warn!(
            "the embedded broker asks for no password, and {address} can be reached from the network: whoever reaches \
             it commands the tasks"
        );
    }
    let own = Own::make_up().map_err(BrokerError::Start)?;
    let listener = match accept::bind(address) {
        Ok(listener) => listener,
        Err(problem) if problem.kind() == io::ErrorKind::AddrInUse => {
            return Err(BrokerError::InUse { address, reachable: Address::of_listener(address).to_string() });
        }
        Err(problem) => return Err(BrokerError::Bind { address, problem }),
    };
    let address = listener.local_addr().map_err(|problem| BrokerError::Bind { address, problem })?;
    let Opened { retained, store } = match storage {
        Some(folder) => opened(folder, &limits, &access).await?,
        None => Opened { retained: Retained::default(), store: None },
    };
    let shared = Arc::new(Shared::new(limits, access, own, retained));
    let mut tasks = vec![tokio::spawn(accept::accept(listener, shared.clone())), tokio::spawn(sweep(shared.clone()))];
    if let Some(store) = store.clone() {
        tasks.push(tokio::spawn(save(shared.clone(), store)));
        shared.changed.notify_one();
    }
    Ok(Embedded { address, shared, store, tasks })
}

const OPEN: &str = "{} can be reached from the network, and nobody is asked for a password: whoever reaches it would command \
                    the appliances. Add accounts, [broker.users.NAME] with a password from `sunward hash-password`; or write \
                    broker.insecure = true if everything in your network may do that";

impl Embedded {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Name and password of Sunward's own account, made up at each start: it may do everything, and has room of its own.
    #[must_use]
    pub fn own_account(&self) -> (&str, &str) {
        let own = &self.shared.own;
        (&own.name, &own.password)
    }

    /// Passes on what it has confirmed, disconnects everybody, writes the storage and ends.
    pub async fn shutdown(mut self) {
        // What was said before this is heard.
        sleep(LAST_WORDS).await;
        self.shared.hub().end();
        let until = Instant::now() + GOODBYE;
        while self.shared.hub().sessions.values().any(|session| session.link.is_some()) && Instant::now() < until {
            sleep(Duration::from_millis(5)).await;
        }
        for task in self.tasks.drain(..) {
            task.abort();
            // The address is free when this returns.
            let _ = task.await;
        }
        if let Some(store) = self.store.take() {
            let shared = self.shared.clone();
            let saved = spawn_blocking(move || save_all(&shared, &store));
            if timeout(GOODBYE, saved).await.is_err() {
                tracing::warn!("broker.storage: the disk took too long, the newest retained messages are not kept");
            }
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn resolve(listen: &str) -> Result<SocketAddr, BrokerError> {
    let refused = |problem| BrokerError::Listen { listen: listen.to_owned(), problem };
    let nothing = || refused(io::Error::other("it has no address"));
    lookup_host(listen).await.map_err(refused)?.next().ok_or_else(nothing)
}

async fn opened(folder: PathBuf, limits: &Limits, access: &Access) -> Result<Opened, BrokerError> {
    // A file in its place is a mistake in the settings; all else is the disk's fault.
    if let Some(file) = folder.ancestors().find(|path| path.exists()).filter(|path| !path.is_dir()) {
        return Err(BrokerError::Storage { folder: folder.clone(), file: file.to_path_buf() });
    }
    let (limits, preferred) =
        (limits.clone(), vec![access.base_topic.clone() + "/", access.discovery_prefix.clone() + "/"]);
    let name = folder.display().to_string();
    match timeout(READING, spawn_blocking(move || store::open(&folder, &limits, &preferred))).await {
        Ok(Ok(opened)) => Ok(opened),
        _ => {
            tracing::error!(
                "broker.storage: {name} could not be read within {} s. The embedded broker goes on in memory: retained \
                 messages will be gone with the program",
                READING.as_secs()
            );
            Ok(Opened { retained: Retained::default(), store: None })
        }
    }
}

async fn sweep(shared: Arc<Shared>) {
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        shared.hub().sweep();
        if shared.hub().retained.has_unsaved() {
            shared.changed.notify_one();
        }
    }
}

async fn save(shared: Arc<Shared>, store: Store) {
    loop {
        shared.changed.notified().await;
        sleep(TOGETHER).await;
        while shared.hub().retained.has_unsaved() {
            let (memory, disk) = (shared.clone(), store.clone());
            if !spawn_blocking(move || save_some(&memory, &disk)).await.unwrap_or(false) {
                sleep(AGAIN).await;
            }
        }
    }
}

/// Writes what has changed, as far as that goes well.
fn save_all(shared: &Shared, store: &Store) {
    while save_some(shared, store) {
        if !shared.hub().retained.has_unsaved() {
            return;
        }
    }
}

/// Writes some of what has changed; returns whether that went well.
fn save_some(shared: &Shared, store: &Store) -> bool {
    let _alone = store.alone();
    let taken = shared.hub().retained.take_unsaved(BATCH);
    let mut failed = None;
    for (topic, message) in taken {
        let outcome = if failed.is_none() { store.save(&topic, message.as_deref()) } else { Ok(()) };
        if let Err(problem) = outcome {
            failed = Some(problem);
        }
        if failed.is_some() {
            shared.hub().retained.not_saved(topic);
        }
    }
    let Some(problem) = failed else { return true };
    tracing::error!(
        "broker.storage: cannot write to {}: {problem}. The embedded broker goes on in memory and tries again in {} s",
        store.folder().display(),
        AGAIN.as_secs()
    );
    false
}
