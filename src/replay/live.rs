//! Time passes: the appliances of a [`Home`] live through the record, and somebody switches them.
//!
//! Refuses to know who that is. A row holds for its whole interval, so that the switching is done as often as it would be
//! at home, between the rows of coarse data too; what a cloud did within a row isn't in it.

use std::time::Duration;

use crate::replay::appliance::Appliance;
use crate::replay::history::Moment;
use crate::replay::home::{Home, Resident};
use crate::replay::ledger::Flow;
use crate::units::Watts;

/// Who switches.
pub(crate) trait Master {
    /// Export that appliances which follow the sun have to leave alone.
    fn reserve(&self) -> Watts {
        Watts::ZERO
    }
    /// A period has begun: so much is to be done until the next one begins.
    fn need(&mut self, home: &Home, task: usize, appliance: &Appliance, now: Moment);
    /// An appliance has changed.
    fn state(&mut self, home: &Home, task: usize, appliance: &Appliance, now: Moment);
    /// A record: the row that it comes from, and what the tasks draw in it.
    fn record(&mut self, home: &Home, row: usize, flow: &Flow<'_>, now: Moment);
    /// Decides. What is to be switched goes into `switches`, stops first.
    fn cycle(&mut self, home: &Home, appliances: &[Appliance], now: Moment, switches: &mut Vec<Switch>);
}

/// A start or a stop.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Switch {
    pub(crate) task: usize,
    pub(crate) start: bool,
    pub(crate) rule: &'static str,
    pub(crate) reason: String,
}

/// Who watches.
pub(crate) trait Watcher {
    /// A step has passed.
    fn flow(&mut self, begin: Moment, step: Duration, flow: &Flow<'_>, on: &[Duration]);
    /// A switch was made.
    fn switch(&mut self, now: Moment, switch: &Switch);
    /// An appliance stopped by itself: it was done, or it left.
    fn end(&mut self, now: Moment, task: usize, done: bool);
    /// A period has begun that asks for so much, with this left of the one before, which asked for that much.
    fn period(&mut self, task: usize, need: f64, left: f64, before: f64);
    /// The end, with this left to do.
    fn close(&mut self, task: usize, left: f64);
}

/// In a gap the clock runs on for so many cycles, for the master to notice; then it jumps.
const NOTICED: u32 = 10;

/// Lives through the record.
pub(crate) fn live(home: &Home, cycle: Duration, master: &mut impl Master, watcher: &mut impl Watcher) {
    let mut life = Life::new(home, cycle);
    for row in 0..home.history.rows() {
        let (begin, end) = (home.history.begin(row), home.history.end(row));
        match home.row(row) {
            Some((base, solar)) => life.row(row, base, solar, (begin, end), master, watcher),
            None => life.gap(begin, end, master, watcher),
        }
        if let Some(next) = home.history.times.get(row + 1).filter(|next| **next > end) {
            life.gap(end, *next, master, watcher);
        }
    }
    life.close(master, watcher);
}

struct Life<'a> {
    home: &'a Home,
    cycle: i64,
    appliances: Vec<Appliance>,
    /// By task: the period that has begun last, and what was to be done in it.
    periods: Vec<(usize, f64)>,
    windows: Vec<usize>,
    drawn: Vec<Watts>,
    on: Vec<Duration>,
    /// Those that have done what they had to do in this step.
    ended: Vec<usize>,
    switches: Vec<Switch>,
}

impl<'a> Life<'a> {
    fn new(home: &'a Home, cycle: Duration) -> Self {
        let tasks = home.residents.len();
        Self {
            home,
            cycle: i64::try_from(cycle.as_millis()).unwrap_or(60_000).max(1),
            appliances: home.residents.iter().map(|resident| Appliance::new(resident.kind)).collect(),
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
        (mut now, end): (Moment, Moment),
        master: &mut impl Master,
        watcher: &mut impl Watcher,
    ) {
        while now < end {
            self.begin(now, master, watcher);
            let boundary = self.boundary(now);
            let next = boundary.min(end);
            let step = now.until(next);
            self.draw(base + master.reserve(), step);
            let flow = Flow { solar, base, drawn: &self.drawn };
            watcher.flow(now, step, &flow, &self.on);
            master.record(self.home, row, &flow, next);
            for task in std::mem::take(&mut self.ended) {
                watcher.end(next, task, true);
                master.state(self.home, task, &self.appliances[task], next);
            }
            if next == boundary {
                self.decide(next, master, watcher);
            }
            now = next;
        }
    }

    /// Nothing is known: the appliances stand still, and nothing is counted.
    fn gap(&mut self, from: Moment, to: Moment, master: &mut impl Master, watcher: &mut impl Watcher) {
        let mut now = from;
        for _ in 0..NOTICED {
            now = self.boundary(now);
            if now >= to {
                return;
            }
            self.decide(now, master, watcher);
        }
    }

    /// The next multiple of a cycle.
    fn boundary(&self, now: Moment) -> Moment {
        Moment((now.0.div_euclid(self.cycle) + 1) * self.cycle)
    }

    /// What begins now: periods with their duties, appliances that come and go.
    fn begin(&mut self, now: Moment, master: &mut impl Master, watcher: &mut impl Watcher) {
        for task in 0..self.appliances.len() {
            let resident = &self.home.residents[task];
            let mut changed = self.begin_period(task, now, master, watcher);
            let available = is_available(resident, &mut self.windows[task], now);
            let appliance = &mut self.appliances[task];
            if available != appliance.available {
                appliance.available = available;
                changed = true;
                if !available && std::mem::take(&mut appliance.running) {
                    watcher.end(now, task, false);
                }
            }
            if changed {
                master.state(self.home, task, &self.appliances[task], now);
            }
        }
    }

    fn begin_period(&mut self, task: usize, now: Moment, master: &mut impl Master, watcher: &mut impl Watcher) -> bool {
        let periods = &self.home.residents[task].periods;
        let mut changed = false;
        while let Some(period) = periods.get(self.periods[task].0).filter(|period| period.begin <= now) {
            watcher.period(task, period.need, self.appliances[task].lacking, self.periods[task].1);
            self.periods[task].0 += 1;
            self.periods[task].1 = period.need;
            self.appliances[task].lacking += period.need;
            changed = true;
        }
        if changed {
            master.need(self.home, task, &self.appliances[task], now);
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

    fn decide(&mut self, now: Moment, master: &mut impl Master, watcher: &mut impl Watcher) {
        let mut switches = std::mem::take(&mut self.switches);
        master.cycle(self.home, &self.appliances, now, &mut switches);
        for switch in switches.drain(..) {
            let appliance = &mut self.appliances[switch.task];
            // A plug that has nothing to do doesn't follow; one that does already has nothing to follow.
            if appliance.running == switch.start || (switch.start && !appliance.runnable()) {
                continue;
            }
            appliance.running = switch.start;
            watcher.switch(now, &switch);
            master.state(self.home, switch.task, &self.appliances[switch.task], now);
        }
        self.switches = switches;
    }

    fn close(&mut self, master: &mut impl Master, watcher: &mut impl Watcher) {
        let (_, end) = self.home.span();
        for task in 0..self.appliances.len() {
            // What was due just now, at the end of the record, was due.
            self.begin_period(task, end, master, watcher);
            watcher.close(task, self.appliances[task].lacking);
        }
    }
}

fn is_available(resident: &Resident, at: &mut usize, now: Moment) -> bool {
    let Some(windows) = &resident.windows else { return true };
    while windows.get(*at).is_some_and(|(_, to)| *to <= now) {
        *at += 1;
    }
    windows.get(*at).is_some_and(|(from, _)| *from <= now)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::tz::TimeZone;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::core::{Criteria, Settings};
    use crate::replay::naive::Naive;
    use crate::replay::sunward::Sunward;
    use crate::replay::{Format, PlannedTask, read};

    /// Checks every step against the record, and adds up.
    struct Checker<'a> {
        home: &'a Home,
        row: usize,
        drawn: f64,
        asked: f64,
        left: f64,
        on: Vec<bool>,
    }

    impl Watcher for Checker<'_> {
        fn flow(&mut self, begin: Moment, step: Duration, flow: &Flow<'_>, _on: &[Duration]) {
            let history = &self.home.history;
            while history.end(self.row) <= begin {
                self.row += 1;
            }
            let row = self.row;
            assert!(history.begin(row) <= begin && begin + step <= history.end(row), "a step stays within its row");
            let recorded: Watts = (0..flow.drawn.len()).map(|task| self.home.recorded(task, row)).sum();
            let tasks: Watts = flow.drawn.iter().copied().sum();
            let net = history.net(row).unwrap() - recorded + tasks;
            assert!((flow.net() - net).0.abs() < 1e-6, "base and tasks less solar are net: {flow:?}");
            for (task, drawn) in flow.drawn.iter().enumerate() {
                let most = self.home.residents[task].kind.most;
                assert!(Watts::ZERO <= *drawn && *drawn <= most, "{drawn} of at most {most}");
                assert!(self.on[task] || *drawn == Watts::ZERO, "what is off draws nothing");
            }
            self.drawn += tasks.0 * step.as_secs_f64() / 3600.0;
        }
        fn switch(&mut self, _now: Moment, switch: &Switch) {
            assert_ne!(self.on[switch.task], switch.start, "{switch:?}");
            self.on[switch.task] = switch.start;
        }
        fn end(&mut self, _now: Moment, task: usize, _done: bool) {
            assert!(std::mem::take(&mut self.on[task]));
        }
        fn period(&mut self, _task: usize, need: f64, _left: f64, _before: f64) {
            self.asked += need;
        }
        fn close(&mut self, _task: usize, left: f64) {
            self.left += left;
        }
    }

    fn check(home: &Home, cycle: Duration, master: &mut impl Master) {
        let on = vec![false; home.residents.len()];
        let mut checker = Checker { home, row: 0, drawn: 0.0, asked: 0.0, left: 0.0, on };
        live(home, cycle, master, &mut checker);
        let Checker { drawn, asked, left, .. } = checker;
        assert!((drawn + left - asked).abs() < 1e-3, "{drawn} drawn and {left} left of {asked}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

        #[test]
        fn energy_is_neither_made_nor_lost(
            rows in proptest::collection::vec((-6000..3000_i32, 0..8000_i32, 0..3000_i32, 0..1500_i32, 0..20_u8), 60..200),
            interval in prop::sample::select(vec![60, 300, 900, 3600]),
            cycle in prop::sample::select(vec![20, 60, 600]),
            power in 300..3000_u32,
            adjustable in any::<bool>(),
            by in prop::sample::select(vec![json!(null), json!("06:00")]),
        ) {
            let mut text = String::from("time,net,solar,a,b\n");
            for (index, (net, solar, a, b, silence)) in rows.iter().enumerate() {
                // Here and there a row is missing, and here and there a value.
                match silence {
                    0 => continue,
                    1 => text.push_str(&format!("{},,{solar},{a},{b}\n", index * interval)),
                    _ => text.push_str(&format!("{},{net},{solar},{a},{b}\n", index * interval)),
                }
            }
            let tasks = [
                json!({"id": "a", "power": power, "max_power": power * 3, "auto_adjust": adjustable, "by": by}),
                json!({"id": "b", "power": 700, "interruptible": false, "need": "1 kWh", "by": "18:00",
                       "available": [{"from": "09:00", "to": "20:00"}]}),
            ];
            let task = |table: &serde_json::Value| {
                PlannedTask::read(table.as_object().unwrap(), &[], &Criteria::default()).unwrap()
            };
            let history = Arc::new(read(text.as_bytes(), &Format::default()).unwrap());
            let home = Home::new(history, tasks.iter().map(task).collect(), TimeZone::UTC).unwrap();
            let cycle = Duration::from_secs(cycle);
            check(&home, cycle, &mut Naive::new(&home));
            check(&home, cycle, &mut Sunward::new(&home, Settings::default(), cycle));
        }
    }

    /// The largest draw.
    struct Highest(Watts);

    impl Watcher for Highest {
        fn flow(&mut self, _begin: Moment, _step: Duration, flow: &Flow<'_>, _on: &[Duration]) {
            self.0 = flow.drawn.iter().copied().fold(self.0, Watts::max);
        }
        fn switch(&mut self, _now: Moment, _switch: &Switch) {}
        fn end(&mut self, _now: Moment, _task: usize, _done: bool) {}
        fn period(&mut self, _task: usize, _need: f64, _left: f64, _before: f64) {}
        fn close(&mut self, _task: usize, _left: f64) {}
    }

    #[test]
    fn who_follows_the_sun_leaves_the_reserve_alone() {
        let rows: String = (0..900).map(|minute| format!("{},-2700,3000\n", minute * 60)).collect();
        let history = Arc::new(read(format!("time,net,solar\n{rows}").as_bytes(), &Format::default()).unwrap());
        let table = json!({"id": "ev", "power": 500, "max_power": 9000, "auto_adjust": true, "need": "99 kWh"});
        let task = PlannedTask::read(table.as_object().unwrap(), &[], &Criteria::default()).unwrap();
        let home = Home::new(history, vec![task], TimeZone::UTC).unwrap();
        let minute = Duration::from_secs(60);
        for reserve in [0.0, 200.0] {
            let settings = Settings { reserve: Watts(reserve), ..Settings::default() };
            let mut highest = Highest(Watts::ZERO);
            live(&home, minute, &mut Sunward::new(&home, settings, minute), &mut highest);
            assert_eq!(highest.0, Watts(2700.0 - reserve));
        }
    }
}
