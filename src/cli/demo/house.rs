//! The loop of the demo: time goes by in the home, its meter and its plugs speak, and somebody watches.

use std::io;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::Times;
use super::day::Day;
use super::lines::{Lines, say};
use super::picture::{Frame, Picture};
use super::plugs::Plugs;
use super::seen::{Happening, Observer, Seen, What, is_on};
use super::summary::summary;
use super::terminal::Terminal;
use crate::client::{Command, Order};
use crate::config::Mqtt;
use crate::service::Clock;
use crate::simulate::{Appliance, Flows, Home, Status};

/// The meter speaks this often, in the time of the home; but leave the computer a moment to breathe.
const METER: Duration = Duration::from_secs(10);
const BREATH: Duration = Duration::from_millis(5);

/// Pictures a second: enough to look alive.
const PICTURES: Duration = Duration::from_millis(100);

pub(super) struct House {
    home: Home,
    clock: Clock,
    times: Times,
    plugs: Plugs,
    observer: Observer,
    seen: Seen,
    day: Day,
    flows: Flows,
    known: [Status; Appliance::ALL.len()],
    broker: String,
}

/// Where it is shown.
enum Stage {
    Terminal(Terminal),
    Lines(Lines),
}

impl House {
    pub(super) fn new(home: Home, clock: Clock, mqtt: &Mqtt, times: Times) -> anyhow::Result<Self> {
        let known = Appliance::ALL.map(|which| home.status(which));
        let plugs = Plugs::new(mqtt, |which| home.status(which))?;
        let day = Day::new(times.begin);
        let broker = mqtt.url.clone().unwrap_or_default();
        let observer = Observer::new(mqtt)?;
        Ok(Self {
            home,
            clock,
            times,
            plugs,
            observer,
            seen: Seen::default(),
            day,
            flows: Flows::default(),
            known,
            broker,
        })
    }

    /// Lives until the days are over or somebody has seen enough, and says what it came to.
    pub(super) async fn live(mut self, paints: bool) -> anyhow::Result<()> {
        let mut stage = if paints {
            Stage::Terminal(Terminal::enter()?)
        } else {
            Stage::Lines(Lines::begin(&self.times, &self.broker)?)
        };
        self.days(&mut stage).await?;
        // The last picture stays.
        let last = if let Stage::Terminal(terminal) = &stage {
            let frame = terminal.frame();
            let frame = Frame { height: frame.height.min(24), ..frame };
            let lines = self.picture(false).lines(frame);
            lines.iter().map(|line| line.render(frame.width, frame.colours)).collect()
        } else {
            Vec::new()
        };
        drop(stage);
        let lines = last.into_iter().chain(summary(self.home.ledger(), self.home.now(), &self.times));
        lines.into_iter().try_for_each(|line| say(&line))?;
        self.plugs.close().await;
        self.observer.close().await;
        Ok(())
    }

    async fn days(&mut self, stage: &mut Stage) -> io::Result<()> {
        let mut meter = tokio::time::interval(METER.div_f64(self.times.speed).max(BREATH));
        let mut pictures = tokio::time::interval(PICTURES);
        // What was missed is in the next one.
        meter.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pictures.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = crate::cli::run::end();
        tokio::pin!(end);
        while self.home.now() < self.times.end {
            tokio::select! {
                () = &mut end => return Ok(()),
                key = stage.key() => match key {
                    b'q' | b'Q' => return Ok(()),
                    b'p' | b'P' => self.observer.order(if self.seen.is_paused() { Order::Resume } else { Order::Pause }),
                    _ => {}
                },
                Some((which, command)) = self.plugs.commands.recv() => self.obey(which, command),
                Some(incoming) = self.observer.inbox.next() => {
                    if let Some(told) = self.observer.understand(&incoming) {
                        self.seen.take(told, self.home.now());
                    }
                }
                _ = meter.tick() => {
                    self.flows = self.advance();
                    self.observer.publish_power(&self.flows);
                    if let Stage::Lines(lines) = stage {
                        lines.tell(&self.seen.news(), &self.times)?;
                        lines.hour(self.home.now(), &self.flows, self.home.ledger(), &self.times)?;
                    }
                }
                _ = pictures.tick() => {
                    if let Stage::Terminal(terminal) = stage {
                        let frame = terminal.frame();
                        terminal.show(&self.picture(terminal.has_keys()).lines(frame), frame)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Lives up to now.
    fn advance(&mut self) -> Flows {
        let flows = self.home.advance(self.clock.now().wall.min(self.times.end));
        let now = self.home.now();
        self.day.add(now, self.home.ledger());
        // The end belongs to the day that it ends.
        if now < self.times.end {
            self.day.begin_again(self.times.day_of(now));
        }
        for which in Appliance::ALL {
            let known = &self.known[which.index()];
            if known.running && !self.home.status(which).running {
                let (time, why) = (now, self.home.status(which).note);
                self.seen.note(Happening { time, what: What::End, task: which.name().to_owned(), why });
            }
            self.tell(which);
        }
        flows
    }

    fn obey(&mut self, which: Appliance, command: Command) {
        self.advance();
        match (is_on(command), command) {
            (Some(on), _) => self.home.switch(which, on),
            (None, Command::Setpoint(most)) => self.home.limit(which, most),
            (None, _) => {}
        }
        self.tell(which);
    }

    /// The plug tells how its appliance is, if that has changed.
    fn tell(&mut self, which: Appliance) {
        let status = self.home.status(which);
        let known = &mut self.known[which.index()];
        if *known != status {
            self.plugs.tell(which, &status);
            *known = status;
        }
    }

    fn picture(&self, keys: bool) -> Picture<'_> {
        Picture {
            now: self.home.now(),
            times: &self.times,
            sky: if self.is_night() { "night" } else { self.home.clouds().word() },
            flows: self.flows,
            ledger: self.home.ledger(),
            notes: Appliance::ALL.map(|which| self.known[which.index()].note.clone()),
            seen: &self.seen,
            day: &self.day,
            broker: &self.broker,
            keys,
        }
    }

    fn is_night(&self) -> bool {
        self.home.sun().zenith > 90.0
    }
}

impl Stage {
    async fn key(&mut self) -> u8 {
        match self {
            Self::Terminal(terminal) => terminal.key().await,
            Self::Lines(_) => std::future::pending().await,
        }
    }
}
