//! What Sunward would have done: a recorded time, lived again with the scheduler in charge. PURE: records in, report out.
//!
//! ```text
//! csv ─▶ History ─┐                       ┌─ Sunward (the scheduler)
//!                 ├─▶ Home ─▶ live ◀──────┤                          ─▶ Diary, Ledger ─▶ table, html, journal
//! plan ─▶ tasks ──┘                       └─ Naive (thresholds)
//! ```
//!
//! The circuits of tasks are taken out of the record and replaced by models of the appliances; the rest of the home stays
//! as it was. Refuses MQTT, the clock, files and sleeping.

mod appliance;
mod csv;
mod diary;
mod doubts;
mod history;
mod home;
mod html;
mod journal;
mod ledger;
mod live;
mod naive;
mod plan;
mod sunward;
mod table;

use std::sync::Arc;
use std::time::Duration;

pub use csv::{CsvError, Format, Unit, read};
pub use history::{History, Moment};
pub use home::{Gap, Home, Misfit};
pub use html::html;
pub use journal::journal;
pub use ledger::{Account, Energy, Ledger, Prices};
#[cfg(test)]
pub(crate) use plan::FIELDS as TASK_FIELDS;
pub use plan::{Model, Need, PlannedTask, Window};
pub use table::table;

use diary::Diary;
use naive::Naive;
use sunward::Sunward;

use crate::core::Settings;

/// A configuration to be tried.
#[derive(Debug, Clone)]
pub struct Contender {
    /// What its columns are called.
    pub name: String,
    /// What its scheduler is told.
    pub settings: Settings,
    /// How often it decides.
    pub cycle: Duration,
    /// The home with its tasks.
    pub home: Arc<Home>,
}

/// One way in which the time could have passed.
#[derive(Debug)]
pub struct Scenario {
    /// Who was in charge.
    pub name: String,
    home: Arc<Home>,
    diary: Diary,
}

impl Scenario {
    /// What it came to; tasks in the order of [`Home::tasks`].
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.diary.ledger
    }

    /// The home as it was in this scenario.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// What it came to for one task.
    #[must_use]
    pub fn account(&self, id: &str) -> Option<&Account> {
        let index = self.home.tasks().position(|task| task.id.as_str() == id)?;
        self.diary.ledger.tasks.get(index)
    }
}

/// The time as it was recorded, under a usual automation, and under each contender: a thread each, they share nothing.
#[must_use]
pub fn replay(contenders: &[Contender]) -> Vec<Scenario> {
    let Some(Contender { home, cycle, .. }) = contenders.first() else { return Vec::new() };
    let scenario = |name: &str, home: &Arc<Home>, diary| Scenario { name: name.into(), home: home.clone(), diary };
    std::thread::scope(|scope| {
        let lives: Vec<_> = contenders.iter().map(|contender| scope.spawn(|| lived(contender))).collect();
        let mut diary = Diary::new(home.tasks().len(), home.span().0);
        live::live(home, *cycle, &mut Naive::new(home), &mut diary);
        let mut scenarios =
            vec![scenario("as recorded", home, diary::as_recorded(home)), scenario("naive switch", home, diary)];
        for (contender, life) in contenders.iter().zip(lives) {
            let diary = life.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            scenarios.push(scenario(&contender.name, &contender.home, diary));
        }
        scenarios
    })
}

fn lived(contender: &Contender) -> Diary {
    let Contender { home, settings, cycle, .. } = contender;
    let mut diary = Diary::new(home.tasks().len(), home.span().0);
    live::live(home, *cycle, &mut Sunward::new(home, settings.clone(), *cycle), &mut diary);
    diary
}
