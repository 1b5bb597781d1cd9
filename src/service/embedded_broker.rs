//! The embedded broker, where no other is configured and the feature is there; else nothing.

use crate::config::Setup;
#[cfg(feature = "embedded-broker")]
use crate::config::{User, UserRole};
use crate::mqtt::Options;
#[cfg(feature = "embedded-broker")]
use crate::mqtt::broker;

/// The settings of one, or none where `mqtt.url` names another.
pub(super) struct PlannedBroker {
    #[cfg(feature = "embedded-broker")]
    settings: Option<broker::Settings>,
}

/// A broker of Sunward's own, or none.
pub(super) struct OwnBroker {
    #[cfg(feature = "embedded-broker")]
    embedded: Option<broker::Embedded>,
}

#[cfg(feature = "embedded-broker")]
impl PlannedBroker {
    /// # Errors
    /// Names a password that is no hash.
    pub(super) fn new(setup: &Setup) -> anyhow::Result<Self> {
        let is_own = setup.config.mqtt.url.is_none();
        Ok(Self { settings: is_own.then(|| settings(setup)).transpose()? })
    }

    /// # Errors
    /// When it doesn't start.
    pub(super) async fn start(self) -> anyhow::Result<OwnBroker> {
        let Some(settings) = self.settings else { return Ok(OwnBroker { embedded: None }) };
        let broker = broker::start_with(settings).await?;
        tracing::info!("the embedded broker listens on {}", broker.address());
        Ok(OwnBroker { embedded: Some(broker) })
    }
}

#[cfg(feature = "embedded-broker")]
impl OwnBroker {
    pub(super) fn none() -> Self {
        Self { embedded: None }
    }

    /// Returns the options of a connection to it, or these where another broker is configured.
    pub(super) fn reached_by(&self, options: Options) -> Options {
        match &self.embedded {
            Some(embedded) => {
                let (name, password) = embedded.own_account();
                options.to_listener(embedded.address()).with_login(name, password)
            }
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

#[cfg(feature = "embedded-broker")]
fn settings(setup: &Setup) -> anyhow::Result<broker::Settings> {
    let (config, settings) = (&setup.config, &setup.config.broker);
    let access = broker::Access {
        base_topic: config.mqtt.base_topic.clone(),
        discovery_prefix: config.homeassistant.discovery_prefix.clone(),
        power: vec![setup.power_topic.clone(), setup.fallback_topic.clone()],
        users: settings
            .users
            .iter()
            .map(|(name, user)| Ok((name.clone(), account(name, user)?)))
            .collect::<anyhow::Result<_>>()?,
    };
    let limits = broker::Limits {
        max_connections: settings.max_connections,
        max_packet_size: settings.max_packet_size,
        max_queued_messages: settings.max_queued_messages,
        max_queued_bytes: settings.max_queued_bytes,
        max_retained_messages: settings.max_retained_messages,
        max_retained_bytes: settings.max_retained_bytes,
        max_sessions: settings.max_sessions,
        max_subscriptions: settings.max_subscriptions,
        persistent_client_expiration: settings.persistent_client_expiration,
    };
    let (listen, storage, insecure) = (settings.listen.clone(), settings.storage.clone(), settings.insecure);
    Ok(broker::Settings { listen, storage, limits, access, insecure })
}

#[cfg(feature = "embedded-broker")]
fn account(name: &str, user: &User) -> anyhow::Result<broker::Account> {
    let role = match user.role {
        UserRole::Task => broker::Role::Task,
        UserRole::Meter => broker::Role::Meter,
        UserRole::See => broker::Role::See,
        UserRole::Steer => broker::Role::Steer,
        UserRole::Admin => broker::Role::Admin,
    };
    let password =
        user.password.parse().map_err(|problem| anyhow::anyhow!("broker.users.{name}.password: {problem}"))?;
    Ok(broker::Account { password, role, read: user.read.clone(), write: user.write.clone() })
}

#[cfg(not(feature = "embedded-broker"))]
#[expect(clippy::unused_async, clippy::unnecessary_wraps, reason = "as with the feature")]
impl PlannedBroker {
    pub(super) fn new(_: &Setup) -> anyhow::Result<Self> {
        Ok(Self {})
    }

    pub(super) async fn start(self) -> anyhow::Result<OwnBroker> {
        Ok(OwnBroker {})
    }
}

#[cfg(not(feature = "embedded-broker"))]
#[expect(clippy::unused_async, reason = "as with the feature")]
impl OwnBroker {
    pub(super) fn none() -> Self {
        Self {}
    }

    pub(super) fn reached_by(&self, options: Options) -> Options {
        options
    }

    pub(super) async fn end(self) {}
}
