//! What a replayed time looked like, coarse enough to be drawn: powers by quarter of an hour, and every run with its reasons.

use std::time::Duration;

use crate::replay::history::ReplayTime;
use crate::replay::plan::Need;
use crate::replay::simulation::{SimulationObserver, Switch};
use crate::replay::totals::{Flow, Totals};
use crate::units::Watts;

/// The length of a slot, in milliseconds.
pub(crate) const SLOT: i64 = 15 * 60_000;

/// Runs that are remembered at most.
const MOST_RUNS: usize = 200_000;

/// One quarter of an hour, in watt-milliseconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct DiarySlot {
    known: i64,
    solar: f64,
    base: f64,
    import: f64,
}

/// One run of a task.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    pub(crate) task: usize,
    pub(crate) from: ReplayTime,
    pub(crate) to: ReplayTime,
    /// In watt-hours.
    pub(crate) energy: f64,
    /// What of it the sun paid for.
    pub(crate) covered: f64,
    pub(crate) started: String,
    pub(crate) stopped: String,
    /// Some of it was seen: of a run within a gap nothing is known, and nothing is counted.
    pub(crate) seen: bool,
}

/// One decision, as `--journal` tells it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JournalEntry {
    pub(crate) time: ReplayTime,
    pub(crate) switch: Switch,
}

/// The course of a simulated time. Fills a [`Totals`] as it goes.
#[derive(Debug)]
pub(crate) struct Diary {
    pub(crate) totals: Totals,
    pub(crate) journal: Vec<JournalEntry>,
    pub(crate) runs: Vec<Run>,
    first: i64,
    slots: Vec<DiarySlot>,
    /// By slot, then by task.
    drawn: Vec<f64>,
    tasks: usize,
    /// The runs that have not ended.
    open: Vec<Option<Run>>,
    now: ReplayTime,
}

/// A slot as means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Means<'a> {
    pub(crate) solar: f64,
    /// Grid power without the tasks.
    pub(crate) base: f64,
    /// What came from the grid: within a slot there may be import and export both.
    pub(crate) import: f64,
    /// How much of the slot is known.
    pub(crate) hours: f64,
    scale: f64,
    drawn: &'a [f64],
}

impl Means<'_> {
    pub(crate) fn drawn(&self, task: usize) -> f64 {
        self.drawn[task] * self.scale
    }

    pub(crate) fn net(&self) -> f64 {
        self.base + self.drawn.iter().sum::<f64>() * self.scale
    }

    pub(crate) fn export(&self) -> f64 {
        self.import - self.net()
    }
}

impl Diary {
    pub(crate) fn new(tasks: usize, begin: ReplayTime) -> Self {
        Self {
            totals: Totals::new(tasks),
            journal: Vec::new(),
            runs: Vec::new(),
            first: begin.0.div_euclid(SLOT),
            slots: Vec::new(),
            drawn: Vec::new(),
            tasks,
            open: vec![None; tasks],
            now: begin,
        }
    }

    /// The slot of a moment, if anything is known of it.
    pub(crate) fn at(&self, moment: ReplayTime) -> Option<Means<'_>> {
        let index = usize::try_from(moment.0.div_euclid(SLOT) - self.first).ok()?;
        let slot = self.slots.get(index).filter(|slot| slot.known > 0)?;
        #[expect(clippy::cast_precision_loss, reason = "a quarter of an hour in milliseconds")]
        let known = slot.known as f64;
        let (scale, hours) = (known.recip(), known / 3_600_000.0);
        let drawn = &self.drawn[index * self.tasks..(index + 1) * self.tasks];
        let (solar, base, import) = (slot.solar * scale, slot.base * scale, slot.import * scale);
        Some(Means { solar, base, import, hours, scale, drawn })
    }

    fn add(&mut self, begin: ReplayTime, end: ReplayTime, flow: &Flow<'_>) {
        let mut from = begin.0;
        while from < end.0 {
            let number = from.div_euclid(SLOT);
            let to = ((number + 1) * SLOT).min(end.0);
            let index = usize::try_from(number - self.first).unwrap_or_default();
            if self.slots.len() <= index {
                self.slots.resize(index + 1, DiarySlot::default());
                self.drawn.resize((index + 1) * self.tasks, 0.0);
            }
            #[expect(clippy::cast_precision_loss, reason = "a quarter of an hour in milliseconds")]
            let weight = (to - from) as f64;
            let slot = &mut self.slots[index];
            slot.known += to - from;
            slot.solar += flow.solar.0 * weight;
            slot.base += flow.base.0 * weight;
            slot.import += flow.net().0.max(0.0) * weight;
            for (sum, drawn) in self.drawn[index * self.tasks..].iter_mut().zip(flow.drawn) {
                *sum += drawn.0 * weight;
            }
            from = to;
        }
    }

    pub(crate) fn begin_run(&mut self, task: usize, now: ReplayTime, why: String) {
        let (energy, covered) = self.so_far(task);
        self.open[task] = Some(Run {
            task,
            from: now,
            to: now,
            energy: -energy,
            covered: -covered,
            started: why,
            stopped: String::new(),
            seen: false,
        });
    }

    pub(crate) fn end_run(&mut self, task: usize, now: ReplayTime, why: &str) {
        let (energy, covered) = self.so_far(task);
        let Some(run) = self.open[task].take().filter(|run| run.seen && self.runs.len() < MOST_RUNS) else { return };
        let (energy, covered) = (run.energy + energy, run.covered + covered);
        self.runs.push(Run { to: now, energy, covered, stopped: why.to_owned(), ..run });
    }

    fn so_far(&self, task: usize) -> (f64, f64) {
        let task = &self.totals.tasks[task];
        (task.energy, task.covered)
    }
}

impl SimulationObserver for Diary {
    fn flow(&mut self, begin: ReplayTime, step: Duration, flow: &Flow<'_>, on: &[Duration]) {
        self.now = begin + step;
        self.totals.step(flow, step);
        self.add(begin, self.now, flow);
        for ((task, run), on) in self.totals.tasks.iter_mut().zip(&mut self.open).zip(on) {
            task.on += *on;
            if let Some(run) = run.as_mut().filter(|run| !run.seen && !on.is_zero()) {
                run.seen = true;
                task.starts += 1;
            }
        }
    }

    fn switch(&mut self, now: ReplayTime, switch: &Switch) {
        let why = format!("{}: {}", switch.rule, switch.reason);
        if switch.start {
            self.begin_run(switch.task, now, why);
        } else {
            self.end_run(switch.task, now, &why);
        }
        self.journal.push(JournalEntry { time: now, switch: switch.clone() });
    }

    fn end(&mut self, now: ReplayTime, task: usize, done: bool) {
        self.end_run(task, now, if done { "it had done what was to be done" } else { "it was not there any more" });
    }

    fn period(&mut self, task: usize, need: f64, left: f64, before: f64) {
        // A watt-hour is not worth the name of a failure.
        let task = &mut self.totals.tasks[task];
        task.needed += usize::from(need > 0.0);
        task.missed += usize::from(before > 0.0 && left > 1.0);
    }

    fn close(&mut self, task: usize, left: f64) {
        self.totals.tasks[task].left = left;
        self.end_run(task, self.now, "the record ends");
    }
}

/// The time as it was recorded, tasks included.
pub(crate) fn as_recorded(home: &crate::replay::home::RecordedHome) -> Diary {
    let tasks = home.recorded_tasks.len();
    let mut diary = Diary::new(tasks, home.span().0);
    let mut drawn = vec![Watts::ZERO; tasks];
    let mut on = vec![Duration::ZERO; tasks];
    for row in 0..home.history.rows() {
        let Some((base, solar)) = home.row(row) else { continue };
        let (begin, end) = (home.history.begin(row), home.history.end(row));
        for task in 0..tasks {
            drawn[task] = home.recorded(task, row);
            let (ran, runs) = (diary.open[task].is_some(), drawn[task] > Watts::ZERO);
            on[task] = if runs { begin.until(end) } else { Duration::ZERO };
            if runs && !ran {
                diary.begin_run(task, begin, "as recorded".into());
            } else if ran && !runs {
                diary.end_run(task, begin, "as recorded");
            }
        }
        diary.flow(begin, begin.until(end), &Flow { solar, base, drawn: &drawn }, &on);
    }
    for (task, recorded_task) in home.recorded_tasks.iter().enumerate() {
        // Nobody asked then for what a configuration asks for now.
        let asked = recorded_task
            .periods
            .iter()
            .filter(|period| period.need > 0.0 && recorded_task.plan.model.need == Need::Recorded);
        diary.totals.tasks[task].needed = asked.count();
        diary.close(task, 0.0);
    }
    diary
}
