//! The connection to the broker, behind one small interface: publish, subscribe, and a stream of what comes in.
//!
//! ```text
//! Handle ── publish ──▶ outbox ──▶ ┌────────┐
//!                                  │  task  │ ◀──▶ broker
//! Inbox  ◀── next ───── inbox ◀─── └────────┘
//! ```
//!
//! One task owns the connection and waits for nothing but network and clock. It connects again by itself, subscribes
//! again, and sends again what was not confirmed. Nothing of the client library is visible outside this folder, and
//! nothing here knows what the messages mean.

use std::sync::Arc;

use tokio::sync::watch;

use crate::wire::topic::check_filter;

mod address;
mod backoff;
#[cfg(feature = "embedded-broker")]
pub mod broker;
mod broker_session;
mod client;
mod client_id;
mod client_id_conflict;
mod disconnect;
mod echoes;
mod files;
mod handle;
mod inbox;
mod link;
mod link_event;
mod message;
mod options;
mod options_builder;
mod options_error;
#[cfg(test)]
mod options_tests;
mod outbox;
mod oversized;
mod password;
mod protocol;
mod subscriptions;
mod tls;
mod transport;
mod v311;
mod v5;

pub use handle::{Connection, Handle};
pub use inbox::Inbox;
pub use message::{Incoming, Message, Outgoing, PublishError};
pub use options::Options;
pub use options_builder::OptionsBuilder;
pub use options_error::OptionsError;
pub use password::PasswordHash;
pub use protocol::Protocol;
pub use tls::install_crypto_provider;

/// Starts the task that connects and stays connected. Must be called within a tokio runtime.
///
/// `will` is what the broker publishes, retained, when the connection breaks or the process dies; after
/// [`Handle::close`] it doesn't.
///
/// # Errors
/// When a filter or the will's topic is none.
pub fn connect<S: Into<String>>(
    options: Options,
    filters: impl IntoIterator<Item = S>,
    will: Option<Outgoing>,
) -> Result<(Handle, Inbox, Connection), PublishError> {
    let mut subscriptions = subscriptions::Subscriptions::default();
    for filter in filters {
        let filter = filter.into();
        check_filter(&filter).map_err(PublishError::Topic)?;
        subscriptions.add(filter);
    }
    if let Some(will) = &will {
        will.check(options.max_packet_size)?;
    }
    let shared = Arc::new(handle::Shared::new(options.max_packet_size, subscriptions));
    let (sender, inbox) = inbox::inbox();
    let (done, ended) = watch::channel(());
    let client =
        client::Client { ends: broker_session::Ends { options, will, shared: shared.clone(), inbox: sender }, done };
    let task = tokio::spawn(client.run());
    Ok((Handle { shared, done: ended }, inbox, Connection(task)))
}
