//! One connection to the broker: feeds what waits, hands on what comes, and ends when either side does.
//!
//! It never waits for anything but the network and the clock: what goes out waits in the outbox, what comes in goes to
//! the inbox, and neither can hold it up. Nothing of a connection that failed is kept.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::time::{sleep, sleep_until};

use super::disconnect::{Cause, Disconnect};
use super::echoes::{Echoes, Missing};
use super::handle::{CLOSING, Shared};
use super::inbox::Sender;
use super::link::{self, Link, Requests};
use super::link_event::{CONNECT_TIMEOUT, Granted, LinkEvent};
use super::message::{Incoming, Kind, Message, Outgoing, packet_size};
use super::options::Options;
use super::subscriptions::Request;

/// A message that the broker has not confirmed for this long, while it answers everything else, will never be.
const STUCK: Duration = Duration::from_secs(60);

/// The library's own timeouts go first: they know better what it was.
const GRACE: Duration = Duration::from_secs(1);

/// For so long after a sign of life the broker counts as alive. A command that goes to a frozen one is obeyed whenever that goes
/// on: who was silent for longer is asked first.
const ALIVE: Duration = Duration::from_secs(2);

/// Nobody is subscribed to this: to end that is a question which every broker answers, whatever its ACL says.
const QUESTION: &str = "sunward/are-you-there";

/// Topics of refused messages remembered per connection, so that each is reported once.
const REFUSALS: usize = 1_000;

/// What every connection of a client needs.
pub(super) struct Ends {
    pub(super) options: Options,
    pub(super) will: Option<Outgoing>,
    pub(super) shared: Arc<Shared>,
    pub(super) inbox: Sender,
}

/// One attempt and, if it succeeds, one connection.
pub(super) struct BrokerSession<'a> {
    ends: &'a Ends,
    first: bool,
    /// When the broker let us in, and on which terms.
    pub(super) since: Option<Instant>,
    granted: Option<Granted>,
    refused: HashSet<String>,
    /// The last sign of life.
    heard: Instant,
    /// The broker was asked whether it lives.
    asked: bool,
    echoes: Echoes,
    /// How long this connection lasts at most: it is to show whether another client id makes a difference.
    trial: Option<Duration>,
    /// It goes under another client id than that of the settings.
    renamed: bool,
    /// The DISCONNECT was handed over.
    leaving: bool,
}

impl<'a> BrokerSession<'a> {
    pub(super) fn new(ends: &'a Ends, first: bool, trial: Option<Duration>, renamed: bool) -> Self {
        let (refused, echoes) = (HashSet::new(), Echoes::default());
        let (since, granted, heard) = (None, None, Instant::now());
        Self { ends, first, since, granted, refused, heard, asked: false, echoes, trial, renamed, leaving: false }
    }

    /// `Ok` is the end that the owner asked for.
    pub(super) async fn run(&mut self) -> Result<(), Disconnect> {
        let options = self.ends.options.clone();
        // A name that nobody else has, nor can guess: who throws us out on purpose must not follow.
        let unknown = || format!("{:08x}", fastrand::u32(..));
        let options = if self.renamed { options.with_client_id_suffix(unknown()) } else { options };
        let (requests, mut link) = link::open(&options, self.ends.will.as_ref());
        let mut deadline = None;
        loop {
            match self.next_event(&requests, &mut link, &mut deadline).await? {
                None => return Ok(()),
                Some(LinkEvent::DisconnectSent) if self.leaving && self.ends.shared.is_closing() => return Ok(()),
                Some(LinkEvent::DisconnectSent) if self.leaving => return Err(trial_over()),
                Some(event) => self.handle(event),
            }
            self.look_for_missing();
            let oldest = self.ends.shared.outbox().oldest_unconfirmed();
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
        let shared = &self.ends.shared;
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
        let shared = &self.ends.shared;
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
        let lives = now.duration_since(self.heard) < ALIVE;
        let mut outbox = shared.outbox();
        while let Some(message) = outbox.hand_over(now, lives) {
            if message.retain && !message.payload.is_empty() {
                self.echoes.published(&message.topic);
            }
            let size = packet_size(&message.topic, &message.payload);
            if size > shared.limit() as usize {
                // It was put down before this broker said its limit.
                outbox.discard_last();
                let what = format!("the message on {}: its {size} bytes are more than the broker takes", message.topic);
                self.ends.inbox.send(Incoming::Refused { what });
            } else if !requests.publish(message, granted) {
                outbox.hand_back();
                return;
            }
        }
        let expired = outbox.take_expired();
        if expired > 0 {
            tracing::info!("{expired} messages for the broker were too old before they could be sent");
        }
        let wants_to_know = shared.question.load(Ordering::Acquire) || (!lives && outbox.has_command_next());
        if wants_to_know && !self.asked {
            self.asked = requests.ask(&Request::Unsubscribe(QUESTION.into()));
        }
        if shared.is_closing() && outbox.is_empty() && !self.leaving {
            self.leaving = requests.disconnect();
        }
    }

    fn handle(&mut self, event: LinkEvent) {
        let shared = &self.ends.shared;
        if event.comes_from_broker() {
            self.heard = Instant::now();
        }
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
            LinkEvent::Unsubscribed => self.answered(),
            LinkEvent::DisconnectSent | LinkEvent::Other => {}
        }
    }

    fn answered(&mut self) {
        let was_asked = std::mem::take(&mut self.asked);
        if was_asked && self.ends.shared.question.swap(false, Ordering::AcqRel) {
            self.ends.inbox.send(Incoming::Answered);
        }
    }

    /// Over MQTT 5 the broker keeps to itself what is too large for us.
    fn take(&mut self, message: Message) {
        self.echoes.received(&message.topic);
        let limit = self.ends.options.max_packet_size;
        if message.topic.len() + message.payload.len() <= limit as usize {
            self.ends.inbox.send(Incoming::Message(message));
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
                Missing::Ask(filter) => self.ends.shared.subscriptions().ask_again(filter),
                Missing::Withheld(what) => self.report_refused(what),
            }
        }
    }

    fn connected(&mut self, granted: Granted) {
        let shared = &self.ends.shared;
        self.since = Some(Instant::now());
        self.granted = Some(granted);
        shared.set_broker_limit(granted.max_packet_size);
        shared.subscriptions().connected();
        // Who asked before is told by this.
        shared.question.store(false, Ordering::Release);
        let session_present = granted.session_present;
        self.ends.inbox.send(Incoming::Connected { session_present, first: self.first });
        if !granted.retains {
            self.refused("keeping messages (retain)".into(), "this broker is set up without it; Sunward needs it");
        }
        self.report_subscribed();
    }

    fn report_subscribed(&self) {
        if self.ends.shared.subscriptions().complete() {
            self.ends.inbox.send(Incoming::Subscribed);
        }
    }

    fn report_command(&self, done: Option<Outgoing>) {
        if let Some(Outgoing { topic, payload, kind: Kind::Command { .. }, .. }) = done {
            self.ends.inbox.send(Incoming::CommandSent { topic, payload });
        }
    }

    fn refused(&mut self, what: String, refusal: &str) {
        self.report_refused(format!("the broker refused {what}: {refusal}"));
    }

    fn report_refused(&mut self, what: String) {
        if self.refused.len() < REFUSALS && self.refused.insert(what.clone()) {
            self.ends.inbox.send(Incoming::Refused { what });
        }
    }
}

fn trial_over() -> Disconnect {
    Disconnect::new(Cause::TrialOver, "left it to connect under mqtt.client_id again")
}
