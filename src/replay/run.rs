//! Replays a recorded time: as it was, under a usual automation, and under Sunward in each configuration.

use std::sync::Arc;
use std::time::Duration;

use super::diary::Diary;
use super::diary::as_recorded;
use super::home::RecordedHome;
use super::naive::NaiveSwitch;
use super::scenario::Scenario;
use super::simulation::simulate;
use super::sunward::Sunward;
use crate::core::Settings;

/// A configuration to replay the record with.
#[derive(Debug, Clone)]
pub struct Contender {
    /// The heading of its columns.
    pub name: String,
    /// The settings of its scheduler.
    pub settings: Settings,
    /// The time between two decisions.
    pub cycle: Duration,
    /// The home with its tasks.
    pub home: Arc<RecordedHome>,
}

/// Replays the record of the first contender. Returns the time as it was recorded, under a usual automation (naive switch),
/// and under each contender, in this order. Without contenders it returns nothing. Contenders run in a thread each.
#[must_use]
pub fn replay(contenders: &[Contender]) -> Vec<Scenario> {
    let Some(Contender { home, cycle, .. }) = contenders.first() else { return Vec::new() };
    let scenario =
        |name: &str, home: &Arc<RecordedHome>, diary| Scenario { name: name.into(), home: home.clone(), diary };
    std::thread::scope(|scope| {
        let threads: Vec<_> = contenders.iter().map(|contender| scope.spawn(|| under(contender))).collect();
        let mut diary = Diary::new(home.tasks().len(), home.span().0);
        simulate(home, *cycle, &mut NaiveSwitch::new(home), &mut diary);
        let mut scenarios =
            vec![scenario("as recorded", home, as_recorded(home)), scenario("naive switch", home, diary)];
        for (contender, thread) in contenders.iter().zip(threads) {
            let diary = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            scenarios.push(scenario(&contender.name, &contender.home, diary));
        }
        scenarios
    })
}

/// Returns what happens under Sunward.
fn under(contender: &Contender) -> Diary {
    let Contender { home, settings, cycle, .. } = contender;
    let mut diary = Diary::new(home.tasks().len(), home.span().0);
    simulate(home, *cycle, &mut Sunward::new(home, settings.clone(), *cycle), &mut diary);
    diary
}
