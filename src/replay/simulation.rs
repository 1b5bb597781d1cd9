//! Simulates the appliances of a [`RecordedHome`] under a [`Controller`], step by step.
//!
//! A row is valid for its whole interval, and the controller decides as often as it would at home, also between the rows of
//! coarse data. Clouds within a row are not in the record.

use std::time::Duration;

use crate::replay::appliance::ReplayedAppliance;
use crate::replay::history::ReplayTime;
use crate::replay::home::{RecordedHome, RecordedTask};
use crate::replay::totals::Flow;
use crate::units::Watts;

/// What switches the appliances.
pub(crate) trait Controller {
    /// Export that appliances which follow the sun have to leave alone.
    fn reserve(&self) -> Watts {
        Watts::ZERO
    }
    /// A period has begun: so much is to be done until the next one begins.
    fn need(&mut self, home: &RecordedHome, task: usize, appliance: &ReplayedAppliance, now: ReplayTime);
    /// An appliance has changed.
    fn state(&mut self, home: &RecordedHome, task: usize, appliance: &ReplayedAppliance, now: ReplayTime);
    /// A record: the row that it comes from, and what the tasks draw in it.
    fn record(&mut self, home: &RecordedHome, row: usize, flow: &Flow<'_>, now: ReplayTime);
    /// Decides. What is to be switched goes into `switches`, stops first.
    fn cycle(
        &mut self,
        home: &RecordedHome,
        appliances: &[ReplayedAppliance],
        now: ReplayTime,
        switches: &mut Vec<Switch>,
    );
}

/// A start or a stop.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Switch {
    pub(crate) task: usize,
    pub(crate) start: bool,
    pub(crate) rule: &'static str,
    pub(crate) reason: String,
}

/// What is told of each step of a simulation.
pub(crate) trait SimulationObserver {
    /// A step has passed.
    fn flow(&mut self, begin: ReplayTime, step: Duration, flow: &Flow<'_>, on: &[Duration]);
    /// A switch was made.
    fn switch(&mut self, now: ReplayTime, switch: &Switch);
    /// An appliance stopped by itself: it was done, or it left.
    fn end(&mut self, now: ReplayTime, task: usize, done: bool);
    /// A period has begun that asks for so much, with this left of the one before, which asked for that much.
    fn period(&mut self, task: usize, need: f64, left: f64, before: f64);
    /// The end, with this left to do.
    fn close(&mut self, task: usize, left: f64);
}

/// The cycles of a gap that are simulated, so that the controller notices it. The rest is skipped.
const NOTICED: u32 = 10;

/// Simulates the whole record.
pub(crate) fn simulate(
    home: &RecordedHome,
    cycle: Duration,
    controller: &mut impl Controller,
    observer: &mut impl SimulationObserver,
) {
    let mut simulation = Simulation::new(home, cycle);
    for row in 0..home.history.rows() {
        let (begin, end) = (home.history.begin(row), home.history.end(row));
        match home.row(row) {
            Some((base, solar)) => simulation.row(row, base, solar, (begin, end), controller, observer),
            None => simulation.gap(begin, end, controller, observer),
        }
        if let Some(next) = home.history.times.get(row + 1).filter(|next| **next > end) {
            simulation.gap(end, *next, controller, observer);
        }
    }
    simulation.close(controller, observer);
}

struct Simulation<'a> {
    home: &'a RecordedHome,
    cycle: i64,
    appliances: Vec<ReplayedAppliance>,
    /// By task: the period that has begun last, and what was to be done in it.
    periods: Vec<(usize, f64)>,
    windows: Vec<usize>,
    drawn: Vec<Watts>,
    on: Vec<Duration>,
    /// Those that have done what they had to do in this step.
    ended: Vec<usize>,
    switches: Vec<Switch>,
}

impl<'a> Simulation<'a> {
    fn new(home: &'a RecordedHome, cycle: Duration) -> Self {
        let tasks = home.recorded_tasks.len();
        Self {
            home,
            cycle: i64::try_from(cycle.as_millis()).unwrap_or(60_000).max(1),
            appliances: home
                .recorded_tasks
                .iter()
                .map(|recorded_task| ReplayedAppliance::new(recorded_task.kind))
                .collect(),
            periods: vec![(0, 0.0); tasks],
            windows: vec![0; tasks],
            drawn: vec![Watts::ZERO; tasks],
            on: vec![Duration::ZERO; tasks],
            ended: Vec::new(),
            switches: Vec::new(),
        }
    }

    fn row(
        &mut self,
        row: usize,
        base: Watts,
        solar: Watts,
        (mut now, end): (ReplayTime, ReplayTime),
        controller: &mut impl Controller,
        observer: &mut impl SimulationObserver,
    ) {
        while now < end {
            self.begin(now, controller, observer);
            let boundary = self.boundary(now);
            let next = boundary.min(end);
            let step = now.until(next);
            self.draw(base + controller.reserve(), step);
            let flow = Flow { solar, base, drawn: &self.drawn };
            observer.flow(now, step, &flow, &self.on);
            controller.record(self.home, row, &flow, next);
            for task in std::mem::take(&mut self.ended) {
                observer.end(next, task, true);
                controller.state(self.home, task, &self.appliances[task], next);
            }
            if next == boundary {
                self.decide(next, controller, observer);
            }
            now = next;
        }
    }

    /// Nothing is known: the appliances stand still, and nothing is counted.
    fn gap(
        &mut self,
        from: ReplayTime,
        to: ReplayTime,
        controller: &mut impl Controller,
        observer: &mut impl SimulationObserver,
    ) {
        let mut now = from;
        for _ in 0..NOTICED {
            now = self.boundary(now);
            if now >= to {
                return;
            }
            self.decide(now, controller, observer);
        }
    }

    /// The next multiple of a cycle.
    fn boundary(&self, now: ReplayTime) -> ReplayTime {
        ReplayTime((now.0.div_euclid(self.cycle) + 1) * self.cycle)
    }

    /// What begins now: periods with their duties, appliances that come and go.
    fn begin(&mut self, now: ReplayTime, controller: &mut impl Controller, observer: &mut impl SimulationObserver) {
        for task in 0..self.appliances.len() {
            let recorded_task = &self.home.recorded_tasks[task];
            let mut changed = self.begin_period(task, now, controller, observer);
            let available = is_available(recorded_task, &mut self.windows[task], now);
            let appliance = &mut self.appliances[task];
            if available != appliance.available {
                appliance.available = available;
                changed = true;
                if !available && std::mem::take(&mut appliance.running) {
                    observer.end(now, task, false);
                }
            }
            if changed {
                controller.state(self.home, task, &self.appliances[task], now);
            }
        }
    }

    fn begin_period(
        &mut self,
        task: usize,
        now: ReplayTime,
        controller: &mut impl Controller,
        observer: &mut impl SimulationObserver,
    ) -> bool {
        let periods = &self.home.recorded_tasks[task].periods;
        let mut changed = false;
        while let Some(period) = periods.get(self.periods[task].0).filter(|period| period.begin <= now) {
            observer.period(task, period.need, self.appliances[task].lacking, self.periods[task].1);
            self.periods[task].0 += 1;
            self.periods[task].1 = period.need;
            self.appliances[task].lacking += period.need;
            changed = true;
        }
        if changed {
            controller.need(self.home, task, &self.appliances[task], now);
        }
        changed
    }

    /// The appliances draw what they draw; those that follow the sun come last, and take what is left.
    fn draw(&mut self, mut net: Watts, step: Duration) {
        for follows in [false, true] {
            for (task, appliance) in self.appliances.iter_mut().enumerate() {
                if appliance.follows() != follows {
                    continue;
                }
                let lived = appliance.live(-net, step);
                net += lived.drawn;
                self.drawn[task] = lived.drawn;
                self.on[task] = lived.on;
                if lived.ended {
                    self.ended.push(task);
                }
            }
        }
    }

    fn decide(&mut self, now: ReplayTime, controller: &mut impl Controller, observer: &mut impl SimulationObserver) {
        let mut switches = std::mem::take(&mut self.switches);
        controller.cycle(self.home, &self.appliances, now, &mut switches);
        for switch in switches.drain(..) {
            let appliance = &mut self.appliances[switch.task];
            // A plug that has nothing to do doesn't follow; one that does already has nothing to follow.
            if appliance.running == switch.start || (switch.start && !appliance.runnable()) {
                continue;
            }
            appliance.running = switch.start;
            observer.switch(now, &switch);
            controller.state(self.home, switch.task, &self.appliances[switch.task], now);
        }
        self.switches = switches;
    }

    fn close(&mut self, controller: &mut impl Controller, observer: &mut impl SimulationObserver) {
        let (_, end) = self.home.span();
        for task in 0..self.appliances.len() {
            // What was due just now, at the end of the record, was due.
            self.begin_period(task, end, controller, observer);
            observer.close(task, self.appliances[task].lacking);
        }
    }
}

fn is_available(recorded_task: &RecordedTask, at: &mut usize, now: ReplayTime) -> bool {
    let Some(windows) = &recorded_task.windows else { return true };
    while windows.get(*at).is_some_and(|(_, to)| *to <= now) {
        *at += 1;
    }
    windows.get(*at).is_some_and(|(from, _)| *from <= now)
}
