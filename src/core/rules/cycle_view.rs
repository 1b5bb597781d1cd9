//! One cycle's view of tasks and window: everything that the rules ask is looked up here.
//!
//! Tasks stand in descending importance: a task is known by its place, and "more important" is "earlier".

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use minijinja::Value;

use crate::core::meter::key::{KeyId, Owners};
use crate::core::meter::record::Record;
use crate::core::meter::window::Window;
use crate::core::output::Action;
use crate::core::rules::answers::Answers;
use crate::core::rules::cycle_task::CycleTask;
use crate::core::settings::Settings;
use crate::core::task::criterion::Criterion;
use crate::core::task::exhausted::CriterionFailure;
use crate::core::task::id::TaskId;
use crate::core::task::question::{Question, Surroundings};
use crate::core::task::task::{STATE_ANSWERS, Task};
use crate::core::time::Instant;
use crate::jinja::StateFields;
use crate::units::{Share, Watts};

/// What a cycle sees.
pub(crate) struct CycleView<'a> {
    /// The most important first.
    pub(crate) tasks: Vec<CycleTask<'a>>,
    pub(crate) settings: &'a Settings,
    owners: &'a Owners,
    /// The window's, newest first.
    records: Vec<&'a Record>,
    window_is_full: bool,
    confirming: usize,
    /// By slot.
    place_of_slot: Vec<usize>,
    /// By place, then by record, of the newest: what the less important running adjustable tasks use above their `power`.
    excess_below: Vec<Watts>,
    pub(crate) now: Instant,
    surroundings: Surroundings,
    /// Why criteria took too much, by place: they aren't asked again in this cycle.
    exhausted: RefCell<BTreeMap<usize, String>>,
    surround: &'a dyn Fn() -> (Value, Value),
    /// By place; made when an expression is asked.
    answers: OnceCell<Vec<Answers>>,
}

/// What a view is made of.
pub(crate) struct ViewParts<'a> {
    pub(crate) tasks: &'a [Task],
    /// Slots of the registered tasks in descending importance.
    pub(crate) order: &'a [usize],
    /// By slot: what its mode or a guard has decided already.
    pub(crate) directed: &'a [Option<Action>],
    pub(crate) owners: &'a Owners,
    pub(crate) window: &'a Window,
    pub(crate) settings: &'a Settings,
    pub(crate) now: Instant,
    /// Makes `record` and `now` for expressions.
    pub(crate) surround: &'a dyn Fn() -> (Value, Value),
}

impl<'a> CycleView<'a> {
    pub(crate) fn new(parts: &ViewParts<'a>) -> Self {
        let tasks: Vec<_> = parts
            .order
            .iter()
            .map(|slot| CycleTask::new(*slot, &parts.tasks[*slot], parts.directed[*slot], parts.settings, parts.now))
            .collect();
        let mut place_of_slot = vec![usize::MAX; parts.tasks.len()];
        for (place, task) in tasks.iter().enumerate() {
            place_of_slot[task.slot] = place;
        }
        let records: Vec<&Record> = parts.window.newest_first().collect();
        let source = records.first().map(|record| record.source);
        let in_a_row = records.iter().take(parts.settings.confirm_records);
        let confirming = in_a_row.take_while(|record| Some(record.source) == source).count();
        let mut view = Self {
            tasks,
            settings: parts.settings,
            owners: parts.owners,
            records,
            confirming,
            window_is_full: parts.window.is_full(),
            place_of_slot,
            now: parts.now,
            surroundings: Surroundings::default(),
            exhausted: RefCell::default(),
            surround: parts.surround,
            answers: OnceCell::new(),
            excess_below: Vec::new(),
        };
        view.excess_below = view.sum_up_excess();
        view
    }

    fn sum_up_excess(&self) -> Vec<Watts> {
        let newest = self.newest();
        let mut sums = vec![Watts::ZERO; self.tasks.len() * newest];
        for (place, task) in self.tasks.iter().enumerate().skip(1).rev() {
            for record in 0..newest {
                let adjusts = task.takes_part() && task.adjustable && !task.claim_doubted;
                let own = if adjusts { (self.usage(place, record) - task.power).max(Watts::ZERO) } else { Watts::ZERO };
                sums[(place - 1) * newest + record] = sums[place * newest + record] + own;
            }
        }
        sums
    }

    /// What running adjustable tasks less important than this one use above their `power`, in one of the newest records.
    pub(crate) fn excess_below(&self, place: usize, record: usize) -> Watts {
        self.excess_below[place * self.newest() + record]
    }

    /// How many records the window holds.
    pub(crate) fn records(&self) -> usize {
        self.records.len()
    }

    /// How many of the newest records speak of what is left for an adjustable task.
    pub(crate) fn newest(&self) -> usize {
        self.settings.confirm_records.min(self.records())
    }

    /// How many records a start is judged by: the newest in a row of the source in use, at most `confirm_records`. Fewer
    /// than these confirm nothing.
    pub(crate) fn confirming(&self) -> usize {
        self.confirming
    }

    /// How many records are missing until a start can be confirmed.
    pub(crate) fn missing_records(&self) -> usize {
        self.settings.confirm_records.saturating_sub(self.confirming)
    }

    /// `net` in a record; 0 is the newest.
    pub(crate) fn net(&self, record: usize) -> Watts {
        self.records[record].net
    }

    /// What a task consumed according to a record.
    pub(crate) fn usage(&self, place: usize, record: usize) -> Watts {
        self.records[record].usage(self.keys(place))
    }

    pub(crate) fn power_used_by(&self, place: usize) -> Watts {
        if self.records() == 0 { Watts::ZERO } else { self.usage(place, 0) }
    }

    /// Whether a task ran when a record was made.
    pub(crate) fn ran(&self, place: usize, record: usize) -> bool {
        self.records[record].ran(self.tasks[place].slot)
    }

    /// A full tank, a full car: it ran and used nothing through the whole, full window.
    pub(crate) fn is_idle(&self, place: usize) -> bool {
        self.window_is_full
            && (0..self.records()).all(|record| self.ran(place, record) && self.usage(place, record) <= Watts::ZERO)
    }

    pub(crate) fn keys(&self, place: usize) -> &'a [KeyId] {
        &self.tasks[place].task.keys
    }

    /// A key's value in a record.
    pub(crate) fn value(&self, key: KeyId, record: usize) -> Watts {
        self.records[record].value(key)
    }

    /// The other tasks that own this key.
    pub(crate) fn others(&self, key: KeyId, place: usize) -> impl Iterator<Item = usize> {
        self.owners.of(key).iter().map(|slot| self.place_of_slot[*slot]).filter(move |other| *other != place)
    }

    /// Running tasks that share a key with this one, and the key.
    pub(crate) fn running_on_keys_of(&self, place: usize) -> impl Iterator<Item = (usize, KeyId)> {
        self.keys(place)
            .iter()
            .flat_map(move |key| self.others(*key, place).map(move |other| (other, *key)))
            .filter(|(other, _)| self.tasks[*other].running)
    }

    /// Whether a stopped task's `start` is met.
    pub(crate) fn start_met(&self, place: usize, ratio: Share) -> Result<bool, String> {
        self.met(place, ratio, Watts::ZERO)
    }

    /// Whether a running task's `keep` is met.
    pub(crate) fn keep_met(&self, place: usize, ratio: Share) -> Result<bool, String> {
        self.met(place, ratio, self.power_used_by(place))
    }

    fn met(&self, place: usize, ratio: Share, power: Watts) -> Result<bool, String> {
        let CycleTask { task, running, .. } = self.tasks[place];
        if task.deadline_due() {
            return Ok(true);
        }
        if let Some(answer) = task.state().and_then(|state| state.meets_criteria) {
            return Ok(answer);
        }
        let Some(criterion) = task.asked(running) else { return Ok(false) };
        if let Some(needed) = criterion.needed_ratio() {
            return Ok(ratio >= needed);
        }
        let ask = |ratio| self.ask(place, criterion, ratio, power);
        match criterion.compared_numbers() {
            Some(numbers) => self.answers(place).of(ratio, numbers, ask),
            None => ask(ratio),
        }
    }

    /// The ratio below which a stopped task's `start` is certainly not met, where that is known.
    pub(crate) fn least_start_ratio(&self, place: usize) -> Option<Share> {
        let task = self.tasks[place].task;
        let criterion = task.asked(false).filter(|_| !task.deadline_due())?;
        let Some(numbers) = criterion.compared_numbers() else { return criterion.needed_ratio() };
        let ask = |ratio| self.ask(place, criterion, ratio, Watts::ZERO);
        // Of a criterion that is never met no ratio is enough.
        Some(self.answers(place).least(numbers, ask).unwrap_or(Share(f64::INFINITY)))
    }

    fn answers(&self, place: usize) -> &Answers {
        &self.answers.get_or_init(|| vec![Answers::default(); self.tasks.len()])[place]
    }

    fn ask(&self, place: usize, criterion: &Criterion, ratio: Share, power: Watts) -> Result<bool, String> {
        let CycleTask { task, running, priority, .. } = self.tasks[place];
        let outcome = criterion.met(ratio, || {
            let known = task.given_up(running).or_else(|| self.exhausted.borrow().get(&place).cloned());
            match known {
                Some(why) => Err(CriterionFailure { why, too_much: false }),
                None => Ok(Question {
                    power,
                    running,
                    priority,
                    on_for: task.on_for(self.now),
                    off_for: task.off_for(self.now),
                    state: fields(task),
                    surroundings: &self.surroundings,
                    surround: self.surround,
                }),
            }
        });
        outcome.map_err(|CriterionFailure { why, too_much }| {
            if too_much {
                self.exhausted.borrow_mut().insert(place, why.clone());
            }
            why
        })
    }

    /// Returns the tasks whose criteria took too much in this cycle: their slots, whether they run, and why.
    pub(crate) fn take_exhausted(&self) -> Vec<(usize, bool, String)> {
        let exhausted = self.exhausted.take().into_iter();
        exhausted.map(|(place, why)| (self.tasks[place].slot, self.tasks[place].running, why)).collect()
    }

    pub(crate) fn id(&self, place: usize) -> &'a TaskId {
        &self.tasks[place].task.id
    }

    /// The criterion that a task is asked now, as people write it, with the values of what it asks for.
    pub(crate) fn criterion(&self, place: usize) -> String {
        let CycleTask { task, running, .. } = self.tasks[place];
        let Some(criterion) = task.asked(running) else { return STATE_ANSWERS.into() };
        criterion.with_values(|word| match word {
            "state" => Some(fields(task).clone()),
            "record" => Some(self.surroundings.get(self.surround).0.clone()),
            "now" => Some(self.surroundings.get(self.surround).1.clone()),
            _ => None,
        })
    }
}

/// The fields of a task's state; undefined without one.
fn fields(task: &Task) -> &Value {
    const NOTHING: Value = Value::UNDEFINED;
    task.fields().map_or(&NOTHING, StateFields::value)
}
