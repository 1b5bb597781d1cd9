//! The loop of the demo: time goes by in the simulated home, its meter and its plugs publish, and the screen shows it.

use std::io;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::day::DayHistory;
use super::event::{DemoEvent, EventKind};
use super::lines::print_line;
use super::observer::Observer;
use super::plugs::Plugs;
use super::presentation::Presentation;
use super::scheduler_view::SchedulerView;
use super::screen::{KeyCommand, Picture};
use super::summary::summary;
use super::times::Times;
use crate::cli::run::end;
use crate::client::{Order, TaskCommand};
use crate::config::Mqtt;
use crate::service::Clock;
use crate::simulate::{Appliance, ApplianceStatus, Flows, SimulatedHome};

/// The meter publishes this often, in the time of the home; but leave the computer a moment to breathe.
const METER_INTERVAL: Duration = Duration::from_secs(10);
const SHORTEST_INTERVAL: Duration = Duration::from_millis(5);

/// Between two pictures: short enough to look alive.
const PICTURE_INTERVAL: Duration = Duration::from_millis(100);

/// The simulated home, its connections, and what is shown of it.
pub(super) struct Session {
    home: SimulatedHome,
    clock: Clock,
    times: Times,
    plugs: Plugs,
    observer: Observer,
    scheduler: SchedulerView,
    day: DayHistory,
    flows: Flows,
    /// What each plug published last.
    published: [ApplianceStatus; Appliance::ALL.len()],
    broker: String,
}

impl Session {
    /// Connects the meter and the plugs of a home to a broker.
    ///
    /// # Errors
    /// When the settings of the connection mean nothing.
    pub(super) fn new(home: SimulatedHome, clock: Clock, mqtt: &Mqtt, times: Times) -> anyhow::Result<Self> {
        Ok(Self {
            clock,
            plugs: Plugs::new(mqtt, |which| home.status(which))?,
            observer: Observer::new(mqtt)?,
            scheduler: SchedulerView::default(),
            day: DayHistory::new(times.begin),
            times,
            flows: Flows::default(),
            published: Appliance::ALL.map(|which| home.status(which)),
            home,
            broker: mqtt.url.clone().unwrap_or_default(),
        })
    }

    /// Runs until the days are over or somebody ends it, and writes what it came to.
    ///
    /// # Errors
    /// When standard output is gone.
    pub(super) async fn run(mut self, paints: bool) -> anyhow::Result<()> {
        let mut presentation = Presentation::begin(paints, &self.times, &self.broker)?;
        self.live(&mut presentation).await?;
        presentation.end(&self.picture())?;
        let summary = summary(self.home.ledger(), self.home.now(), &self.times);
        summary.iter().try_for_each(|line| print_line(line))?;
        self.plugs.close().await;
        self.observer.close().await;
        Ok(())
    }

    async fn live(&mut self, presentation: &mut Presentation) -> io::Result<()> {
        let mut meter = tokio::time::interval(METER_INTERVAL.div_f64(self.times.speed).max(SHORTEST_INTERVAL));
        let mut pictures = tokio::time::interval(PICTURE_INTERVAL);
        // The next tick makes up for a missed one.
        meter.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pictures.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = end();
        tokio::pin!(end);
        while self.home.now() < self.times.end {
            tokio::select! {
                () = &mut end => return Ok(()),
                key = presentation.key() => match key {
                    KeyCommand::Quit => return Ok(()),
                    KeyCommand::PauseOrResume => {
                        self.observer.order(if self.scheduler.is_paused() { Order::Resume } else { Order::Pause });
                    }
                },
                Some((which, command)) = self.plugs.commands.recv() => self.obey(which, command),
                Some(message) = self.observer.next() => self.scheduler.update(message, self.home.now()),
                _ = meter.tick() => {
                    self.flows = self.advance();
                    self.observer.publish_power(&self.flows);
                    if let Presentation::Lines(lines) = presentation {
                        lines.events(&self.scheduler.new_events(), &self.times)?;
                        lines.hour(self.home.now(), &self.flows, self.home.ledger(), &self.times)?;
                    }
                }
                _ = pictures.tick() => {
                    if let Presentation::Screen(screen) = presentation {
                        screen.draw(&self.picture())?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Simulates the home up to now. Returns the mean flows since the last call.
    fn advance(&mut self) -> Flows {
        let flows = self.home.advance(self.clock.now().wall.min(self.times.end));
        let now = self.home.now();
        self.day.add(now, self.home.ledger());
        // The end belongs to the day that it ends.
        if now < self.times.end {
            self.day.start(self.times.day_of(now));
        }
        for which in Appliance::ALL {
            let status = self.home.status(which);
            if self.published[which.index()].running && !status.running {
                let kind = EventKind::End { task: which.name().to_owned(), note: status.note };
                self.scheduler.add_event(DemoEvent { time: now, kind });
            }
            self.publish(which);
        }
        flows
    }

    fn obey(&mut self, which: Appliance, command: TaskCommand) {
        self.advance();
        match command {
            TaskCommand::Start => self.home.switch(which, true),
            TaskCommand::Stop => self.home.switch(which, false),
            TaskCommand::Setpoint(most) => self.home.limit(which, most),
        }
        self.publish(which);
    }

    /// Publishes the status of an appliance if it has changed.
    fn publish(&mut self, which: Appliance) {
        let status = self.home.status(which);
        let published = &mut self.published[which.index()];
        if *published != status {
            self.plugs.publish(which, &status);
            *published = status;
        }
    }

    fn picture(&self) -> Picture<'_> {
        Picture {
            now: self.home.now(),
            times: &self.times,
            sky: if self.home.sun().zenith > 90.0 { "night" } else { self.home.clouds().word() },
            flows: self.flows,
            ledger: self.home.ledger(),
            statuses: &self.published,
            scheduler: &self.scheduler,
            day: &self.day,
            broker: &self.broker,
        }
    }
}
