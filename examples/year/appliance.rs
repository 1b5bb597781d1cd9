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
    /// The hour since which it has had something to do.
    waiting_since: Option<usize>,
}

/// What there is to do.
enum Work {
    /// To take so many watt-hours, whenever.
    Energy(f64),
    /// To run programs, each with its watts hour by hour.
    Programs { loaded: VecDeque<VecDeque<f64>>, recording: VecDeque<f64> },
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
            "ev" => (1400.0, Some(7400.0), Work::Energy(0.0)),
            "heat_pump" => (2000.0, None, Work::Energy(0.0)),
            _ => (800.0, None, Work::Programs { loaded: VecDeque::new(), recording: VecDeque::new() }),
        };
        let interruptible = id != "dishwasher";
        Appliance { id, power, max_power, interruptible, running: false, work, waiting_since: None }
    })
}

impl Appliance {
    /// The people of the home: they plug in, turn up, load and fill as they did when this was recorded. `day` is what
    /// the circuit drew on the day that begins, if one does. Answers the watt-hours that came to be done.
    pub(crate) fn want(&mut self, now: usize, hour: &Hour, day: Option<f64>) -> f64 {
        let recorded = CIRCUITS.iter().position(|circuit| *circuit == self.id).map_or(0.0, |at| hour.circuits[at]);
        let wanted = match &mut self.work {
            Work::Energy(lacking) => {
                let wanted = day.unwrap_or_default();
                *lacking += wanted;
                wanted
            }
            Work::Programs { loaded, recording } => {
                // Known once it is over, and waiting from then on.
                if recorded > IDLE {
                    recording.push_back(recorded);
                    0.0
                } else if recording.is_empty() {
                    0.0
                } else {
                    let program = std::mem::take(recording);
                    let wanted = program.iter().sum();
                    loaded.push_back(program);
                    wanted
                }
            }
        };
        if self.runnable() {
            self.waiting_since.get_or_insert(now);
        }
        wanted
    }

    /// There is something to do.
    pub(crate) fn runnable(&self) -> bool {
        match &self.work {
            Work::Energy(lacking) => self.running || *lacking >= WORTH,
            Work::Programs { loaded, .. } => !loaded.is_empty(),
        }
    }

    /// For how many hours something has been waiting to be done.
    pub(crate) fn waits(&self, now: usize) -> usize {
        self.waiting_since.map_or(0, |since| now - since)
    }

    /// The watt-hours that are still to be done.
    pub(crate) fn lacking(&self) -> f64 {
        match &self.work {
            Work::Energy(lacking) => *lacking,
            Work::Programs { loaded, .. } => loaded.iter().flatten().sum(),
        }
    }

    /// An hour goes by in which the rest of the home exported `export` watts (imported, if negative).
    pub(crate) fn live(&mut self, now: usize, export: f64) -> Lived {
        if !self.running {
            return Lived { drawn: 0.0, ended: false };
        }
        let (drawn, ended) = match &mut self.work {
            Work::Energy(lacking) => {
                let wish = self.max_power.map_or(self.power, |most| export.clamp(self.power, most));
                let drawn = wish.min(*lacking);
                *lacking -= drawn;
                (drawn, *lacking <= 0.0)
            }
            Work::Programs { loaded, .. } => {
                let drawn = loaded.front_mut().and_then(VecDeque::pop_front).unwrap_or_default();
                let ended = loaded.front().is_none_or(VecDeque::is_empty);
                if ended {
                    loaded.pop_front();
                }
                (drawn, ended)
            }
        };
        if ended {
            self.running = false;
            // The next load waits from now on.
            self.waiting_since = self.runnable().then_some(now);
        }
        Lived { drawn, ended }
    }
}
