//! What every simulation must hold to, whatever is in charge.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::json;

use super::history::ReplayTime;
use super::home::RecordedHome;
use super::simulation::{Controller, SimulationObserver, Switch, simulate};
use super::totals::Flow;
use crate::core::{Criteria, Settings};
use crate::replay::naive::NaiveSwitch;
use crate::replay::sunward::Sunward;
use crate::replay::{Format, PlannedTask, read};
use crate::units::Watts;

/// Checks every step against the record, and adds up.
struct Checker<'a> {
    home: &'a RecordedHome,
    row: usize,
    drawn: f64,
    asked: f64,
    left: f64,
    on: Vec<bool>,
}

impl SimulationObserver for Checker<'_> {
    fn flow(&mut self, begin: ReplayTime, step: Duration, flow: &Flow<'_>, _on: &[Duration]) {
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
            let most = self.home.recorded_tasks[task].kind.most;
            assert!(Watts::ZERO <= *drawn && *drawn <= most, "{drawn} of at most {most}");
            assert!(self.on[task] || *drawn == Watts::ZERO, "what is off draws nothing");
        }
        self.drawn += tasks.0 * step.as_secs_f64() / 3600.0;
    }
    fn switch(&mut self, _now: ReplayTime, switch: &Switch) {
        assert_ne!(self.on[switch.task], switch.start, "{switch:?}");
        self.on[switch.task] = switch.start;
    }
    fn end(&mut self, _now: ReplayTime, task: usize, _done: bool) {
        assert!(std::mem::take(&mut self.on[task]));
    }
    fn period(&mut self, _task: usize, need: f64, _left: f64, _before: f64) {
        self.asked += need;
    }
    fn close(&mut self, _task: usize, left: f64) {
        self.left += left;
    }
}

fn check(home: &RecordedHome, cycle: Duration, controller: &mut impl Controller) {
    let on = vec![false; home.recorded_tasks.len()];
    let mut checker = Checker { home, row: 0, drawn: 0.0, asked: 0.0, left: 0.0, on };
    simulate(home, cycle, controller, &mut checker);
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
        let home = RecordedHome::new(history, tasks.iter().map(task).collect(), TimeZone::UTC).unwrap();
        let cycle = Duration::from_secs(cycle);
        check(&home, cycle, &mut NaiveSwitch::new(&home));
        check(&home, cycle, &mut Sunward::new(&home, Settings::default(), cycle));
    }
}

/// The largest draw.
struct Highest(Watts);

impl SimulationObserver for Highest {
    fn flow(&mut self, _begin: ReplayTime, _step: Duration, flow: &Flow<'_>, _on: &[Duration]) {
        self.0 = flow.drawn.iter().copied().fold(self.0, Watts::max);
    }
    fn switch(&mut self, _now: ReplayTime, _switch: &Switch) {}
    fn end(&mut self, _now: ReplayTime, _task: usize, _done: bool) {}
    fn period(&mut self, _task: usize, _need: f64, _left: f64, _before: f64) {}
    fn close(&mut self, _task: usize, _left: f64) {}
}

#[test]
fn who_follows_the_sun_leaves_the_reserve_alone() {
    let rows: String = (0..900).map(|minute| format!("{},-2700,3000\n", minute * 60)).collect();
    let history = Arc::new(read(format!("time,net,solar\n{rows}").as_bytes(), &Format::default()).unwrap());
    let table = json!({"id": "ev", "power": 500, "max_power": 9000, "auto_adjust": true, "need": "99 kWh"});
    let task = PlannedTask::read(table.as_object().unwrap(), &[], &Criteria::default()).unwrap();
    let home = RecordedHome::new(history, vec![task], TimeZone::UTC).unwrap();
    let minute = Duration::from_secs(60);
    for reserve in [0.0, 200.0] {
        let settings = Settings { reserve: Watts(reserve), ..Settings::default() };
        let mut highest = Highest(Watts::ZERO);
        simulate(&home, minute, &mut Sunward::new(&home, settings, minute), &mut highest);
        assert_eq!(highest.0, Watts(2700.0 - reserve));
    }
}
