//! A broker inside the program, for the start without any set-up, the demo and quick tests.
//!
//! It speaks MQTT 5 and 3.1.1 over plain TCP. Everything in it has a limit: bytes first, then numbers. One lock holds all of
//! it (`hub.rs`), and nothing waits while holding it. What it does not do it says in its CONNACK: no shared subscriptions,
//! no subscription identifiers, no topic aliases; it delivers with QoS 0 and 1 (and takes 2).
//!
//! ```text
//! accept ─▶ connection ─▶ greeting ─▶ hub: sessions, queues, retained messages ◀─▶ store ─▶ disk
//! ```

mod accept;
mod access;
mod complaints;
mod connection;
mod delivery;
mod embedded;
mod error;
mod frames;
mod greeting;
mod hub;
mod limits;
mod link;
mod message;
mod outgoing;
mod pace;
mod publishing;
mod queue;
mod retained;
mod session;
mod store;
mod stored;
mod subscribing;

pub use access::{Access, Account, Role};
pub use embedded::{Embedded, Settings, start, start_with};
pub use error::BrokerError;
pub use limits::Limits;
