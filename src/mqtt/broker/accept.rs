//! New connections. Strangers, who have not said who they are, are few at a time: the oldest makes room for the newest, so
//! that silent ones never lock anybody out.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

use super::connection;
use super::hub::Shared;

/// Strangers at a time.
const STRANGERS: usize = 32;

/// Bytes that the system may hold per connection and direction; it takes twice as much.
const SYSTEM_BUFFER: u32 = 64 * 1024;

const BACKLOG: u32 = 128;

/// Listens.
///
/// # Errors
/// What the system says.
pub(super) fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    // Connections inherit these.
    socket.set_recv_buffer_size(SYSTEM_BUFFER)?;
    socket.set_send_buffer_size(SYSTEM_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Who has not said who it is.
#[derive(Debug)]
struct Stranger {
    number: u64,
    from: IpAddr,
    task: AbortHandle,
}

/// Those who have not said who they are, the oldest first.
#[derive(Debug, Default)]
struct Strangers(Mutex<VecDeque<Stranger>>);

impl Strangers {
    fn with<T>(&self, change: impl FnOnce(&mut VecDeque<Stranger>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn leave(&self, number: u64) {
        self.with(|all| all.retain(|stranger| stranger.number != number));
    }

    /// Where there are too many, ends the oldest one from where most come: who fills the door loses its own places first.
    fn make_room(&self) -> bool {
        self.with(|all| {
            if all.len() < STRANGERS {
                return false;
            }
            let crowd = |from: IpAddr| all.iter().filter(|stranger| stranger.from == from).count();
            let oldest = (0..all.len()).max_by_key(|at| (crowd(all[*at].from), all.len() - at));
            if let Some(stranger) = oldest.and_then(|at| all.remove(at)) {
                stranger.task.abort();
            }
            true
        })
    }
}

/// Serves everybody who connects, for ever.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let strangers = Arc::new(Strangers::default());
    let mut serving = JoinSet::new();
    let mut number = 0;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = serving.join_next(), if !serving.is_empty() => continue,
        };
        let (stream, from) = match accepted {
            Ok((stream, from)) => (stream, from.ip()),
            Err(problem) => {
                shared.hub().complaints.say("the system refuses new connections", &problem.to_string(), None);
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Without it small packets are late, nothing worse.
        let _ = stream.set_nodelay(true);
        number += 1;
        if strangers.make_room() {
            shared.hub().complaints.say("too many connections that say nothing, the oldest is closed", "unknown", None);
        }
        let (known, gone, shared) = (strangers.clone(), strangers.clone(), shared.clone());
        // Noted before it can leave.
        strangers.with(|all| {
            let task = serving.spawn(async move {
                connection::serve(stream, shared, || known.leave(number)).await;
                gone.leave(number);
            });
            all.push_back(Stranger { number, from, task });
        });
    }
}
