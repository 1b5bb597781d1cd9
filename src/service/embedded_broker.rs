//! The embedded broker, where no other is configured and the feature is there; else nothing.

use crate::config::Config;
use crate::mqtt::Options;

/// A broker of Sunward's own, or none.
pub(super) struct OwnBroker {
    #[cfg(feature = "embedded-broker")]
    embedded: Option<crate::mqtt::broker::Embedded>,
}

#[cfg(feature = "embedded-broker")]
impl OwnBroker {
    /// Starts it unless `mqtt.url` names another.
    ///
    /// # Errors
    /// When it doesn't start.
    pub(super) async fn start(config: &Config) -> anyhow::Result<Self> {
        if config.mqtt.url.is_some() {
            return Ok(Self { embedded: None });
        }
        let broker = crate::mqtt::broker::start(
            &config.broker.listen,
            config.broker.storage.as_deref(),
            config.mqtt.max_packet_size,
        )
        .await?;
        tracing::info!("the embedded broker listens on {}", broker.address());
        Ok(Self { embedded: Some(broker) })
    }

    /// Returns the options of a connection to it, or these where another broker is configured.
    pub(super) fn reached_by(&self, options: Options) -> Options {
        match &self.embedded {
            Some(embedded) => options.to_listener(embedded.address()),
            None => options,
        }
    }

    /// Ends it, once everybody has heard the last words.
    pub(super) async fn end(self) {
        if let Some(embedded) = self.embedded {
            embedded.shutdown().await;
        }
    }
}

#[cfg(not(feature = "embedded-broker"))]
#[expect(clippy::unused_async, reason = "as with the feature")]
impl OwnBroker {
    pub(super) async fn start(_: &Config) -> anyhow::Result<Self> {
        Ok(Self {})
    }

    pub(super) fn reached_by(&self, options: Options) -> Options {
        options
    }

    pub(super) async fn end(self) {}
}
