//! What may make a report worthless: a record that was misread, and criteria that need what no record has.

use crate::replay::home::RecordedHome;
use crate::replay::plan::PlannedTask;
use crate::replay::scenario::Scenario;

/// So many names are listed.
const MOST_NAMES: usize = 5;

/// A sentence for each doubt, in the order of the tasks.
pub(super) fn doubts(scenarios: &[Scenario]) -> Vec<String> {
    let mut doubts = scenarios.first().map(|first| first.home().history().doubts()).unwrap_or_default();
    for home in scenarios.iter().map(Scenario::home) {
        for doubt in home.tasks().filter_map(|task| unknown(home, task)) {
            if !doubts.contains(&doubt) {
                doubts.push(doubt);
            }
        }
    }
    doubts
}

/// What the criteria of a task ask for, and a replay doesn't know.
fn unknown(home: &RecordedHome, task: &PlannedTask) -> Option<String> {
    let known = |name: &&String| match name.split('.').collect::<Vec<_>>()[..] {
        ["state", field] => ["running", "runnable"].contains(&field),
        // By other means than a dot.
        ["state"] => false,
        ["record", key] => is_in_records(home, key),
        _ => true,
    };
    let criteria = &task.registration.criteria;
    let mut names: Vec<&str> = Vec::new();
    for name in criteria.start.asks().iter().chain(criteria.keep.asks()).filter(|name| !known(name)) {
        if !names.contains(&name.as_str()) && names.len() < MOST_NAMES {
            names.push(name);
        }
    }
    (!names.is_empty()).then(|| {
        let (id, names) = (&task.id, names.join(", "));
        format!("{id}: its criteria ask for {names}, which no replay knows: a criterion that needs it is not met")
    })
}

fn is_in_records(home: &RecordedHome, key: &str) -> bool {
    let of_tasks = |task: &PlannedTask| task.registration.keys.iter().any(|own| own == key);
    ["net", "solar"].contains(&key) || home.history().circuits().any(|name| name == key) || home.tasks().any(of_tasks)
}
