//! The one task that talks to the broker: connects, feeds what waits, hands on what comes, and starts again.
//!
//! It never waits for anything but the network and the clock: what goes out waits in the outbox, what comes in goes to
//! the inbox, and neither can hold it up. Nothing of a connection that failed is kept.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::{sleep, sleep_until};

use super::backoff::Backoff;
use super::client_id_conflict::ClientIdConflicts;
use super::disconnect::{Cause, Disconnect};
use super::echoes::{Echoes, Missing};
use super::handle::{CLOSING, Shared};
use super::inbox::Sender;
use super::link::{self, Link, Requests};
use super::link_event::{CONNECT_TIMEOUT, Granted, LinkEvent};
use super::message::{Incoming, Kind, Message, Outgoing, packet_size};
use super::options::Options;
use super::protocol::Protocol;
use super::subscriptions::Request;

/// A message that the broker has not confirmed for this long, while it answers everything else, will never be.
const STUCK: Duration = Duration::from_secs(60);

/// The library's own timeouts go first: they know better what it was.
const GRACE: Duration = Duration::from_secs(1);

/// Topics of refused messages remembered per connection, so that each is reported once.
const REFUSALS: usize = 1_000;

/// The task: its settings, and what it shares with its owner.
pub(super) struct Client {
    pub(super) options: Options,
    pub(super) will: Option<Outgoing>,
    pub(super) shared: Arc<Shared>,
    pub(super) inbox: Sender,
    /// Dropped at the end: that is how [`super::Handle::close`] learns of it.
    pub(super) done: watch::Sender<()>,
}

impl Client {
    /// Connects again and again until the owner closes.
    pub(super) async fn run(self) {
        let mut backoff = Backoff::default();
        let mut conflicts = ClientIdConflicts::default();
        let mut reported = None;
        let (mut first, mut trial) = (true, None);
        // An owner that closes right after it began is still served: what it published goes with the first attempt.
        loop {
            let mut session = BrokerSession::new(&self, first, trial);
            let Err(disconnect) = session.run().await else { break };
            let held = session.since.map(|since| since.elapsed());
            first &= held.is_none();
            let now = Instant::now();
            self.shared.outbox().connection_lost(now);
            let conflict = match (disconnect.cause, held) {
                (Cause::ClientIdConflict, _) => conflicts.told(now),
                (cause, Some(_)) if trial.is_some() => {
                    conflicts.tried(cause == Cause::TrialOver);
                    None
                }
                (Cause::HungUp, Some(held)) => conflicts.closed(held, now),
                _ => {
                    conflicts.ended_otherwise();
                    None
                }
            };
            if let Some(times) = conflict {
                self.inbox.send(Incoming::ClientIdConflict { times });
            }
            // The same failure over and over is reported once.
            let new = first && self.options.protocol == Protocol::V5;
            let reason = disconnect.explain(&self.options.broker(), new);
            if held.is_some() || reported.as_ref() != Some(&reason) {
                self.inbox.send(Incoming::Disconnected { reason: reason.clone() });
                reported = Some(reason);
            }
            trial = conflicts.trial(now);
            let pause = match disconnect.cause {
                Cause::TrialOver => Duration::ZERO,
                _ if trial.is_some() => Duration::ZERO,
                Cause::LoginRefused => backoff.after_refusal(fastrand::f64()),
                _ => backoff.after_disconnect(held.unwrap_or_default(), fastrand::f64()),
            };
            self.pause(pause).await;
            if self.shared.is_closing() {
                break;
            }
        }
        drop(self.done);
    }

    async fn pause(&self, pause: Duration) {
        let end = sleep(pause);
        tokio::pin!(end);
        while !self.shared.is_closing() {
            tokio::select! {
                () = &mut end => return,
                () = self.shared.wake.notified() => {}
            }
        }
    }
}

/// One attempt and, if it succeeds, one connection.
struct BrokerSession<'a> {
    client: &'a Client,
    first: bool,
    /// When the broker let us in, and on which terms.
    since: Option<Instant>,
    granted: Option<Granted>,
    refused: HashSet<String>,
    echoes: Echoes,
    /// How long this connection lasts at most: it goes under another client id, to see whether that makes a difference.
    trial: Option<Duration>,
    /// The DISCONNECT was handed over.
    leaving: bool,
}

impl<'a> BrokerSession<'a> {
    fn new(client: &'a Client, first: bool, trial: Option<Duration>) -> Self {
        let (refused, echoes) = (HashSet::new(), Echoes::default());
        Self { client, first, since: None, granted: None, refused, echoes, trial, leaving: false }
    }

    /// `Ok` is the end that the owner asked for.
    async fn run(&mut self) -> Result<(), Disconnect> {
        let options = self.client.options.clone();
        let options = if self.trial.is_some() { options.with_client_id_suffix("trial") } else { options };
        let (requests, mut link) = link::open(&options, self.client.will.as_ref());
        let mut deadline = None;
        loop {
            match self.next_event(&requests, &mut link, &mut deadline).await? {
                None => return Ok(()),
                Some(LinkEvent::DisconnectSent) if self.leaving && self.client.shared.is_closing() => return Ok(()),
                Some(LinkEvent::DisconnectSent) if self.leaving => return Err(trial_over()),
                Some(event) => self.handle(event),
            }
            self.look_for_missing();
            let oldest = self.client.shared.outbox().oldest_unconfirmed();
            if oldest.is_some_and(|handed_at| handed_at.elapsed() > STUCK) {
                return Err(Disconnect::new(Cause::Silent, "the broker does not confirm what is sent to it"));
            }
        }
    }

    /// The next event; `None` when the owner's patience for a good end is over. While it waits it hands over whatever is
    /// put down, without ever letting go of the poll: dropping one may lose a packet.
    async fn next_event(
        &mut self,
        requests: &Requests,
        link: &mut Link,
        closing: &mut Option<tokio::time::Instant>,
    ) -> Result<Option<LinkEvent>, Disconnect> {
        let shared = &self.client.shared;
        // The library notices a silent broker by itself, but not one whose socket takes no more bytes.
        let keep_alive = self.granted.map_or(Duration::ZERO, |granted| granted.keep_alive);
        let watchdog = sleep(2 * keep_alive + CONNECT_TIMEOUT + GRACE);
        let poll = link.poll();
        let trial_ends = self.since.zip(self.trial).map(|(since, trial)| tokio::time::Instant::from_std(since + trial));
        let trial = async {
            match trial_ends {
                Some(end) => sleep_until(end).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(poll, watchdog, trial);
        loop {
            if let Some(granted) = self.granted {
                self.feed(requests, granted);
            }
            if shared.is_closing() && closing.is_none() {
                *closing = Some(tokio::time::Instant::now() + CLOSING);
            }
            let end = async {
                match *closing {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                event = &mut poll => return event.map(Some),
                () = shared.wake.notified() => {}
                () = &mut watchdog => return Err(Disconnect::new(Cause::Silent, "the connection hangs; dropped it")),
                () = end => return Ok(None),
                () = &mut trial, if !self.leaving => {
                    self.leaving = requests.disconnect();
                    if !self.leaving {
                        return Err(trial_over());
                    }
                }
            }
        }
    }

    /// Hands over as much as the windows allow: subscriptions first, then messages, at the very end the DISCONNECT.
    fn feed(&mut self, requests: &Requests, granted: Granted) {
        let shared = &self.client.shared;
        let mut subscriptions = shared.subscriptions();
        while let Some(request) = subscriptions.hand_over() {
            if !requests.ask(&request) {
                subscriptions.hand_back(request);
                return;
            }
            match &request {
                Request::Subscribe(filters) => filters.iter().for_each(|filter| self.echoes.subscribing(filter)),
                Request::Unsubscribe(filter) => self.echoes.forget(filter),
            }
        }
        // The library writes messages before subscriptions that were handed over earlier: what we say has to come back.
        if !subscriptions.are_out() {
            return;
        }
        drop(subscriptions);
        let now = Instant::now();
        let mut outbox = shared.outbox();
        while let Some(message) = outbox.hand_over(now) {
            if message.retain && !message.payload.is_empty() {
                self.echoes.published(&message.topic);
            }
            let size = packet_size(&message.topic, &message.payload);
            if size > shared.limit() as usize {
                // It was put down before this broker said its limit.
                outbox.discard_last();
                let what = format!("the message on {}: its {size} bytes are more than the broker takes", message.topic);
                self.client.inbox.send(Incoming::Refused { what });
            } else if !requests.publish(message, granted) {
                outbox.hand_back();
                return;
            }
        }
        let expired = outbox.take_expired();
        if expired > 0 {
            tracing::info!("{expired} messages for the broker expired before they could be sent");
        }
        if shared.is_closing() && outbox.is_empty() && !self.leaving {
            self.leaving = requests.disconnect();
        }
    }

    fn handle(&mut self, event: LinkEvent) {
        let shared = &self.client.shared;
        match event {
            LinkEvent::Connected(granted) => self.connected(granted),
            LinkEvent::Sent(packet_id) => {
                let done = shared.outbox().sent(packet_id);
                self.report_command(done);
            }
            LinkEvent::SubscribeSent(packet_id) => shared.subscriptions().sent(packet_id),
            LinkEvent::Acknowledged(packet_id, refusal) => {
                let done = shared.outbox().acknowledged(packet_id);
                if let Some(message) = &done {
                    self.echoes.acknowledged(&message.topic, refusal.is_some(), Instant::now());
                }
                match (done, refusal) {
                    (Some(message), Some(refusal)) => {
                        self.refused(format!("publishing on {}", message.topic), &refusal);
                    }
                    (done, _) => self.report_command(done),
                }
            }
            LinkEvent::Subscribed(packet_id, refusals) => {
                let filters = shared.subscriptions().answered(packet_id);
                for (filter, refusal) in filters.into_iter().zip(refusals) {
                    match refusal {
                        Some(refusal) => {
                            self.echoes.forget(&filter);
                            self.refused(format!("subscribing to {filter}"), &refusal);
                        }
                        None => self.echoes.granted(&filter, Instant::now()),
                    }
                }
                self.report_subscribed();
            }
            LinkEvent::Message(message) => self.take(message),
            LinkEvent::DisconnectSent | LinkEvent::Other => {}
        }
    }

    /// Over MQTT 5 the broker keeps to itself what is too large for us.
    fn take(&mut self, message: Message) {
        self.echoes.received(&message.topic);
        let limit = self.client.options.max_packet_size;
        if message.topic.len() + message.payload.len() <= limit as usize {
            self.client.inbox.send(Incoming::Message(message));
            return;
        }
        let topic = message.topic;
        self.report_refused(format!(
            "{topic}: dropped a message of more than {limit} bytes (mqtt.max_packet_size); if it is retained, \
             mosquitto_pub -r -n -t '{topic}' clears it"
        ));
    }

    fn look_for_missing(&mut self) {
        while let Some(missing) = self.echoes.missing(Instant::now()) {
            match missing {
                Missing::Ask(filter) => self.client.shared.subscriptions().ask_again(filter),
                Missing::Withheld(what) => self.report_refused(what),
            }
        }
    }

    fn connected(&mut self, granted: Granted) {
        let shared = &self.client.shared;
        self.since = Some(Instant::now());
        self.granted = Some(granted);
        shared.set_broker_limit(granted.max_packet_size);
        shared.subscriptions().connected();
        let session_present = granted.session_present;
        self.client.inbox.send(Incoming::Connected { session_present, first: self.first });
        if !granted.retains {
            self.refused("keeping messages (retain)".into(), "this broker is set up without it; Sunward needs it");
        }
        self.report_subscribed();
    }

    fn report_subscribed(&self) {
        if self.client.shared.subscriptions().complete() {
            self.client.inbox.send(Incoming::Subscribed);
        }
    }

    fn report_command(&self, done: Option<Outgoing>) {
        if let Some(Outgoing { topic, payload, kind: Kind::Command { .. } }) = done {
            self.client.inbox.send(Incoming::CommandSent { topic, payload });
        }
    }

    fn refused(&mut self, what: String, refusal: &str) {
        self.report_refused(format!("the broker refused {what}: {refusal}"));
    }

    fn report_refused(&mut self, what: String) {
        if self.refused.len() < REFUSALS && self.refused.insert(what.clone()) {
            self.client.inbox.send(Incoming::Refused { what });
        }
    }
}

fn trial_over() -> Disconnect {
    Disconnect::new(Cause::TrialOver, "left it to connect under mqtt.client_id again")
}
