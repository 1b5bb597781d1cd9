//! What hangs behind the plugs: appliances with something to do, hour by hour.
//!
//! Refuses to know of MQTT, and of any scheduler: it is switched on and off, and draws power.

use std::collections::VecDeque;

use crate::record::{CIRCUITS, Hour};

/// A car or a tank that lacks less than this is not worth a start.
const WORTH: f64 = 500.0;

/// A machine that draws less than this has nothing in it.
const IDLE: f64 = 20.0;

/// See the module.
pub(crate) struct Appliance {
    /// Its circuit, and the name of its task.
    pub(crate) id: &'static str,
    /// What it draws at least while it runs.
    pub(crate) power: f64,
    /// What it takes at most, if it follows the sun by itself.
    pub(crate) max_power: Option<f64>,
    /// It may be stopped while it runs.
    pub(crate) interruptible: bool,
    pub(crate) running: bool,
    work: Work,
}

/// What there is to do, the oldest first, each with the hour since which it waits.
enum Work {
    /// To take so many watt-hours, whenever.
    Energy(VecDeque<(usize, f64)>),
    /// To run programs, each with its watts hour by hour.
    Programs { loaded: VecDeque<(usize, VecDeque<f64>)>, recording: VecDeque<f64> },
}

/// How an hour went.
pub(crate) struct Lived {
    pub(crate) drawn: f64,
    /// It ended by itself in this hour: full, or washed.
    pub(crate) ended: bool,
}

/// The four of the recorded home, in the order of their circuits.
pub(crate) fn all() -> [Appliance; 4] {
    CIRCUITS.map(|id| {
        let (power, max_power, work) = match id {
            "ev" => (1400.0, Some(7400.0), Work::Energy(VecDeque::new())),
            "heat_pump" => (2000.0, None, Work::Energy(VecDeque::new())),
            _ => (800.0, None, Work::Programs { loaded: VecDeque::new(), recording: VecDeque::new() }),
        };
        let interruptible = id != "dishwasher";
        Appliance { id, power, max_power, interruptible, running: false, work }
    })
}

impl Appliance {
    /// The people of the home: they plug in, turn up, load and fill as they did when this was recorded. `day` is what
    /// the circuit drew on the day that begins, if one does. Answers the watt-hours that came to be done.
    pub(crate) fn want(&mut self, now: usize, hour: &Hour, day: Option<f64>) -> f64 {
        let recorded = CIRCUITS.iter().position(|circuit| *circuit == self.id).map_or(0.0, |at| hour.circuits[at]);
        match &mut self.work {
            Work::Energy(lacking) => {
                let Some(wanted) = day.filter(|wanted| *wanted > 0.0) else { return 0.0 };
                let before: f64 = lacking.iter().map(|(_, energy)| energy).sum();
                if before < WORTH {
                    // Nobody waited for that.
                    lacking.clear();
                    lacking.push_back((now, before + wanted));
                } else {
                    lacking.push_back((now, wanted));
                }
                wanted
            }
            // Known once it is over, and waiting from then on.
            Work::Programs { recording, .. } if recorded > IDLE => {
                recording.push_back(recorded);
                0.0
            }
            Work::Programs { recording, .. } if recording.is_empty() => 0.0,
            Work::Programs { loaded, recording } => {
                let program = std::mem::take(recording);
                let wanted = program.iter().sum();
                loaded.push_back((now, program));
                wanted
            }
        }
    }

    /// There is something to do.
    pub(crate) fn runnable(&self) -> bool {
        match &self.work {
            Work::Energy(_) => self.running || self.lacking() >= WORTH,
            Work::Programs { loaded, .. } => !loaded.is_empty(),
        }
    }

    /// For how many hours the oldest of what there is to do has been waiting to be done.
    pub(crate) fn waits(&self, now: usize) -> usize {
        let oldest = match &self.work {
            Work::Energy(lacking) => lacking.front().map(|(since, _)| *since),
            Work::Programs { loaded, .. } => loaded.front().map(|(since, _)| *since),
        };
        oldest.filter(|_| self.runnable()).map_or(0, |since| now - since)
    }

    /// The watt-hours that are still to be done.
    pub(crate) fn lacking(&self) -> f64 {
        match &self.work {
            Work::Energy(lacking) => lacking.iter().map(|(_, energy)| energy).sum(),
            Work::Programs { loaded, .. } => loaded.iter().flat_map(|(_, program)| program).sum(),
        }
    }

    /// An hour goes by in which the rest of the home exported `export` watts (imported, if negative).
    pub(crate) fn live(&mut self, export: f64) -> Lived {
        if !self.running {
            return Lived { drawn: 0.0, ended: false };
        }
        let lived = match &mut self.work {
            Work::Energy(lacking) => {
                let wish = self.max_power.map_or(self.power, |most| export.clamp(self.power, most));
                let drawn = take(lacking, wish);
                Lived { drawn, ended: lacking.is_empty() }
            }
            Work::Programs { loaded, .. } => {
                let drawn = loaded.front_mut().and_then(|(_, program)| program.pop_front()).unwrap_or_default();
                let ended = loaded.front().is_none_or(|(_, program)| program.is_empty());
                if ended {
                    loaded.pop_front();
                }
                Lived { drawn, ended }
            }
        };
        self.running = !lived.ended;
        lived
    }
}

/// Takes up to `wish` watt-hours off what is lacking, and answers how much that was.
fn take(lacking: &mut VecDeque<(usize, f64)>, wish: f64) -> f64 {
    let mut drawn = 0.0;
    while let Some((_, oldest)) = lacking.front_mut() {
        if *oldest > wish - drawn {
            *oldest -= wish - drawn;
            return wish;
        }
        drawn += *oldest;
        lacking.pop_front();
    }
    drawn
}
