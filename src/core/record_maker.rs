//! A cycle's record out of what arrived: also what counts on the keys of tasks that say nothing.

use crate::core::meter::key::KeyId;
use crate::core::meter::meter::Meter;
use crate::core::meter::record::Record;
use crate::core::meter::source::Source;
use crate::core::registry::Registry;
use crate::core::settings::Settings;
use crate::core::task::task::Task;
use crate::core::time::Now;
use crate::units::Watts;

/// Makes records of a home's values and tasks.
pub(crate) struct RecordMaker<'a> {
    pub(crate) meter: &'a Meter,
    pub(crate) registry: &'a Registry,
    pub(crate) settings: &'a Settings,
    pub(crate) now: Now,
}

impl RecordMaker<'_> {
    /// The record of a cycle; `record` is an empty one, whose source and memory are used.
    pub(crate) fn fill(&self, mut record: Record) -> Record {
        let Self { meter, registry, now, .. } = self;
        let source = record.source;
        record.values.extend(meter.keys.iter().map(|key| match registry.owners(key) {
            [] => meter.value(source, key, now.at).map(|measured| measured.value),
            owners => Some(self.owned(key, owners, source).into()),
        }));
        record.net = record.value(meter.net());
        record.ran.extend(registry.tasks().iter().map(|task| task.is_registered() && task.running()));
        record
    }

    /// What all tasks use, as a record of the fallback would have it.
    pub(crate) fn expected_use(&self) -> Watts {
        self.registry.owned_keys().map(|(key, owners)| self.owned(key, owners, Source::Fallback)).sum()
    }

    /// What counts on a key of tasks: also when it says nothing.
    fn owned(&self, key: KeyId, owners: &[usize], source: Source) -> Watts {
        let tasks = || owners.iter().map(|slot| self.registry.task(*slot));
        let switched = tasks().filter_map(|task| task.history().seen_switch()).max();
        let measured = self.meter.value(source, key, self.now.at);
        let recent = measured.filter(|measured| switched.is_none_or(|switched| measured.at >= switched));
        let smallest = tasks().map(Task::power).reduce(Watts::min).unwrap_or_default();
        let threshold = self.settings.ignore_power_threshold.min(smallest * 0.5).max(Watts::ZERO);
        let above_standby = |value: Watts| if value < threshold { Watts::ZERO } else { value };
        match recent {
            Some(measured) => above_standby(measured.value.watts()),
            None => tasks().map(|task| declared(task, above_standby)).sum(),
        }
    }
}

/// What a task counts as on one of its keys when the key says nothing: what it says itself, as far as that is more than
/// standby, or its share of its `power`, however small on many keys.
fn declared(task: &Task, above_standby: impl Fn(Watts) -> Watts) -> Watts {
    if !task.running() {
        return Watts::ZERO;
    }
    let own = if task.key_names().is_empty() { task.state().and_then(|state| state.usage) } else { None };
    #[expect(clippy::cast_precision_loss, reason = "a task has few keys")]
    own.map_or_else(|| task.power() * (task.keys.len().max(1) as f64).recip(), above_standby)
}
