//! A home for a test: a Mosquitto, the real program, and a client that sees everything on the wire.
//!
//! There are no fixed pauses: unless a test says otherwise, cycles are so long that only `schedule` makes one, and its report
//! tells that what was published before it has been dealt with.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};
use sunward::config::Protocol;
use sunward::mqtt::{Incoming, Outgoing};
use tokio::time::timeout;

use crate::mosquitto::Mosquitto;
use crate::peer::{PATIENCE, Peer};
pub(crate) use crate::program::{Sunward, program};

pub(crate) const STATE: &str = "sunward/scheduler/state";
pub(crate) const CYCLE: &str = "sunward/scheduler/cycle";
pub(crate) const SET: &str = "sunward/scheduler/set";
pub(crate) const AVAILABILITY: &str = "sunward/scheduler/availability";

/// Runs a test over both versions of the protocol at once.
pub(crate) async fn both(test: impl AsyncFn(Protocol)) {
    tokio::join!(test(Protocol::V5), test(Protocol::V311));
}

/// What one cycle came to on the wire.
pub(crate) struct Cycle {
    pub(crate) report: Value,
    /// Every command since the last time somebody asked: `heater=start`, `cmnd/heater/POWER=ON`.
    pub(crate) commands: Vec<String>,
}

pub(crate) struct Home {
    pub(crate) broker: Mosquitto,
    pub(crate) peer: Peer,
    protocol: Protocol,
    toml: String,
    pub(crate) sunward: Option<Sunward>,
    /// The newest payload of every topic.
    seen: BTreeMap<String, String>,
    commands: Vec<String>,
    /// All that came, as `topic=payload`.
    pub(crate) all: Vec<String>,
    cycles: usize,
    /// How often the observer was subscribed.
    subscribed: usize,
    /// The report of the last cycle before an outage: it comes again, twice if it had not been confirmed.
    told_again: Option<String>,
}

impl Home {
    /// A broker and its observer, without Sunward.
    pub(crate) async fn empty(protocol: Protocol, toml: &str) -> Self {
        let broker = Mosquitto::start();
        let peer = Peer::new(&broker.url(), &["#"]).await;
        let toml = toml.to_owned();
        Self {
            broker,
            peer,
            protocol,
            toml,
            sunward: None,
            seen: BTreeMap::new(),
            commands: Vec::new(),
            all: Vec::new(),
            cycles: 0,
            subscribed: 0,
            told_again: None,
        }
    }

    /// With Sunward, online.
    pub(crate) async fn new(protocol: Protocol, toml: &str) -> Self {
        let mut home = Self::empty(protocol, toml).await;
        home.start().await;
        home
    }

    /// What Sunward is started with the next time.
    pub(crate) fn configure(&mut self, toml: &str) {
        self.toml = toml.to_owned();
    }

    /// Starts Sunward and waits until it is online.
    pub(crate) async fn start(&mut self) {
        self.launch();
        self.online().await;
    }

    /// Starts Sunward.
    pub(crate) fn launch(&mut self) {
        for topic in [AVAILABILITY, STATE, CYCLE] {
            self.seen.remove(topic);
        }
        self.sunward = Some(Sunward::spawn(Some(&self.broker.url()), self.protocol, &self.toml));
    }

    pub(crate) async fn online(&mut self) {
        self.until("online", |home| (home.seen(AVAILABILITY) == "online").then_some(())).await;
    }

    pub(crate) async fn offline(&mut self) {
        self.until("offline", |home| (home.seen(AVAILABILITY) == "offline").then_some(())).await;
    }

    /// Ends Sunward well.
    pub(crate) async fn stop(&mut self) {
        let mut sunward = self.sunward.take().unwrap();
        let status = sunward.stop().await;
        assert!(status.success(), "{status}: {}", sunward.log());
        sunward.play_again();
        self.offline().await;
    }

    /// Ends Sunward badly.
    pub(crate) async fn kill(&mut self) {
        self.sunward.take().unwrap().kill().await;
        self.offline().await;
    }

    /// Has Sunward read another configuration, and waits until it says what came of it.
    pub(crate) async fn reload(&mut self, toml: &str) {
        let before = self.read_again();
        self.sunward.as_ref().unwrap().reload(toml);
        let told = timeout(PATIENCE, async {
            while self.read_again() == before {
                tokio::task::yield_now().await;
            }
        });
        assert!(told.await.is_ok(), "the configuration was not read again\n{self}");
    }

    fn read_again(&self) -> usize {
        self.sunward.as_ref().map_or(0, |sunward| sunward.log().matches("the configuration ").count())
    }

    /// Cuts Sunward's connection and waits until it is back.
    pub(crate) async fn cut(&mut self) {
        self.cut_while(async |_| {}).await;
    }

    /// The same; something happens meanwhile.
    pub(crate) async fn cut_while(&mut self, happens: impl AsyncFn(&mut Self)) {
        let mut settings = crate::peer::settings(&self.broker.url(), Protocol::V5);
        settings.client_id = "sunward".into();
        self.seen.remove(AVAILABILITY);
        self.told_again = self.seen.get(CYCLE).cloned();
        let mut thief = Peer::start(&settings, &[], None);
        thief.subscribed().await;
        happens(self).await;
        drop(thief);
        self.offline().await;
        self.online().await;
    }

    /// Ends the broker and starts it again with nothing remembered; back when Sunward is. The observer comes first, so that
    /// it hears everything.
    pub(crate) async fn restart_broker(&mut self) {
        self.told_again = self.seen.get(CYCLE).cloned();
        let signal = |home: &Self, signal| home.sunward.iter().for_each(|sunward| sunward.signal(signal));
        signal(self, "-STOP");
        self.seen.clear();
        let before = self.subscribed;
        self.broker.restart();
        self.until("the observer", |home| (home.subscribed > before).then_some(())).await;
        signal(self, "-CONT");
        self.online().await;
    }

    /// Starts a broker that was killed, and waits until the observer and Sunward are back.
    pub(crate) async fn restart_broker_only(&mut self) {
        self.told_again = self.seen.get(CYCLE).cloned();
        self.seen.clear();
        let before = self.subscribed;
        self.broker.restart();
        self.until("the observer", |home| (home.subscribed > before).then_some(())).await;
        self.online().await;
    }

    // What others say.

    pub(crate) async fn say(&self, topic: &str, payload: impl Into<Vec<u8>>) {
        self.peer.handle.publish(Outgoing::event(topic, payload)).unwrap();
    }

    /// Retained, and back from the broker: of several that wait for a connection only the last would be sent.
    pub(crate) async fn retain(&mut self, topic: &str, payload: &str) {
        self.seen.insert(topic.to_owned(), "not back yet".into());
        self.peer.publish_retained(topic, payload).await;
        self.until(topic, |home| (home.seen(topic) == payload).then_some(())).await;
    }

    pub(crate) async fn register(&mut self, id: &str, registration: Value) {
        self.retain(&format!("sunward/task/{id}/config"), &registration.to_string()).await;
    }

    pub(crate) async fn unregister(&mut self, id: &str) {
        self.retain(&format!("sunward/task/{id}/config"), "").await;
    }

    pub(crate) async fn running(&mut self, id: &str, running: bool) {
        self.state(id, json!({"running": running})).await;
    }

    pub(crate) async fn state(&mut self, id: &str, state: Value) {
        self.retain(&format!("sunward/task/{id}/state"), &state.to_string()).await;
    }

    pub(crate) async fn power(&self, record: Value) {
        self.say("sunward/power", record.to_string()).await;
    }

    pub(crate) async fn command(&self, word: &str) {
        self.say(SET, word).await;
    }

    // What Sunward says.

    /// Has a cycle run and waits for its report.
    pub(crate) async fn cycle(&mut self) -> Cycle {
        let before = self.cycles;
        self.command("schedule").await;
        self.next_cycle(before).await
    }

    /// Waits for the first cycle after so many.
    pub(crate) async fn next_cycle(&mut self, before: usize) -> Cycle {
        let report = self.until("a cycle", |home| (home.cycles > before).then(|| home.json(CYCLE))).await;
        Cycle { report, commands: std::mem::take(&mut self.commands) }
    }

    /// A record and a cycle.
    pub(crate) async fn cycle_with(&mut self, record: Value) -> Cycle {
        self.power(record).await;
        self.cycle().await
    }

    /// Waits for a report of a task that satisfies the condition.
    pub(crate) async fn report(&mut self, id: &str, condition: impl Fn(&Value) -> bool) -> Value {
        self.told(&format!("sunward/task/{id}/report"), condition).await
    }

    /// Waits for a state of the scheduler that satisfies the condition.
    pub(crate) async fn scheduler(&mut self, condition: impl Fn(&Value) -> bool) -> Value {
        self.told(STATE, condition).await
    }

    async fn told(&mut self, topic: &str, condition: impl Fn(&Value) -> bool) -> Value {
        self.until(topic, |home| Some(home.json(topic)).filter(&condition)).await
    }

    /// Everything that the broker retains.
    pub(crate) async fn retained(&self) -> BTreeMap<String, String> {
        let mut fresh = Peer::new(&self.broker.url(), &["#"]).await;
        fresh.publish("marker", "").await;
        let all = fresh.collect_until("marker").await;
        all.iter().filter_map(|message| message.split_once('=')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    }

    /// The newest payload of a topic.
    pub(crate) fn seen(&self, topic: &str) -> &str {
        self.seen.get(topic).map_or("", String::as_str)
    }

    pub(crate) fn cycles(&self) -> usize {
        self.cycles
    }

    /// Waits for these commands. A state that waited to be sent may overtake them: its newest value takes its place.
    pub(crate) async fn commanded(&mut self, expected: &[&str]) {
        self.until("commands", |home| (home.commands.len() >= expected.len()).then_some(())).await;
        let commands = std::mem::take(&mut self.commands);
        assert_eq!(commands, expected, "{self}");
    }

    /// The commands since somebody asked last.
    pub(crate) fn taken_commands(&mut self) -> Vec<String> {
        std::mem::take(&mut self.commands)
    }

    /// Waits for commands, whichever they are.
    pub(crate) async fn some_commands(&mut self) -> Vec<String> {
        self.until("a command", |home| (!home.commands.is_empty()).then_some(())).await;
        std::mem::take(&mut self.commands)
    }

    fn json(&self, topic: &str) -> Value {
        serde_json::from_str(self.seen(topic)).unwrap_or_default()
    }

    /// Waits until the condition gives something.
    pub(crate) async fn until<T>(&mut self, what: &str, condition: impl Fn(&Self) -> Option<T>) -> T {
        let found = timeout(PATIENCE, async {
            loop {
                if let Some(found) = condition(self) {
                    return found;
                }
                let item = self.peer.inbox.next().await.expect("the connection was closed");
                self.note(&item);
            }
        });
        match found.await {
            Ok(found) => found,
            Err(_) => panic!("never came: {what}\n{self}"),
        }
    }

    fn note(&mut self, item: &Incoming) {
        self.subscribed += usize::from(matches!(item, Incoming::Subscribed));
        let Incoming::Message(message) = item else { return };
        let payload = String::from_utf8_lossy(&message.payload).into_owned();
        if let Some(addressee) = addressee(&message.topic) {
            assert!(!message.retain, "a retained command: {addressee}={payload}");
            self.commands.push(format!("{addressee}={payload}"));
        }
        self.all.push(format!("{}={payload}", message.topic));
        let is_new = message.topic == CYCLE && !message.retain;
        if is_new && self.told_again.as_ref() != Some(&payload) {
            self.cycles += 1;
        }
        self.seen.insert(message.topic.clone(), payload);
    }
}

/// Whom a command is for: the id of a task that registered itself, or a device's own topic.
fn addressee(topic: &str) -> Option<&str> {
    let Some(rest) = topic.strip_prefix("sunward/") else {
        let is_command =
            topic.starts_with("cmnd/") || ["/set", "/get", "/command"].iter().any(|end| topic.ends_with(end));
        return is_command.then_some(topic);
    };
    rest.strip_prefix("task/").and_then(|rest| rest.strip_suffix("/set")).filter(|id| !id.contains('/'))
}

/// What a person needs to see when a test fails.
impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (topic, payload) in &self.seen {
            let payload: String = payload.chars().take(300).collect();
            writeln!(f, "{topic} {payload}")?;
        }
        writeln!(f, "commands: {:?}", self.commands)?;
        f.write_str(&self.sunward.as_ref().map(Sunward::log).unwrap_or_default())
    }
}
