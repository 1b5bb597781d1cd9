//! One cycle: a record is made, the rules are asked in their order, and everybody gets a verdict (SPEC section 7).

use std::collections::BTreeMap;

use jiff::Timestamp;
use minijinja::Value;

use crate::core::directives::Choice;
use crate::core::input::Source;
use crate::core::meter::intake::Measured;
use crate::core::meter::key::{KeyId, Owners};
use crate::core::meter::window::Record;
use crate::core::output::{Action, Decision, Rule};
use crate::core::rules::availability::{Offer, Sheet};
use crate::core::rules::covered_share::covered_by_production;
use crate::core::rules::cycle_view::{Load, Parts, Scene};
use crate::core::rules::election::{Electable, Elected, elect};
use crate::core::rules::stopping::{self, conflicting_keys, diminishing_adjustable, failing_criteria, lower_priority};
use crate::core::task::task::Task;
use crate::core::task::verdict::{Verdict, Waits};
use crate::core::{Consumption, Now, Scheduler};
use crate::units::{Share, Watts};

/// Why a cycle decided nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// A user paused the scheduler.
    Paused,
    /// No value of `net` arrived since the last cycle.
    NoRecord,
}

/// What a cycle did.
#[derive(Debug, Clone, PartialEq)]
pub struct CycleReport {
    /// When.
    pub time: Timestamp,
    /// Why it decided nothing.
    pub skipped: Option<Skipped>,
    /// Where its record came from: then that is [`Scheduler::latest_record`].
    pub source: Option<Source>,
    /// What tasks consumed according to it.
    pub consumption: Option<Consumption>,
    /// No record has come for longer than `max_record_gap`, whether paused or not.
    pub no_data: bool,
    /// What was decided in it, and since the cycle before.
    pub decisions: Vec<Decision>,
}

impl Scheduler {
    /// One scheduling step.
    pub fn cycle(&mut self, now: Now) -> CycleReport {
        self.last_cycle = now;
        for task in &mut self.tasks {
            let running = task.running();
            task.answers.count(running, self.settings.cycle / 2, now.at);
            task.stop_all &= running;
        }
        self.refresh_owners();
        self.end_wishes(now);
        self.notice_missing_data(now);
        let source = self.update(now);
        let consumption = source.and_then(|_| self.account(now));
        self.check_deadlines(now);
        self.watch_all_usage(now.at);
        let skipped = match source {
            _ if self.paused => Some(Skipped::Paused),
            None => Some(Skipped::NoRecord),
            Some(_) => None,
        };
        match skipped {
            Some(Skipped::Paused) => self.repeat_stop_all(now),
            Some(Skipped::NoRecord) => self.do_without_record(now),
            None => self.schedule(now),
        }
        self.renew_leases(now);
        let mut decisions = std::mem::take(&mut self.between);
        // The last word about a task counts once.
        let mut seen = std::collections::HashSet::new();
        decisions.reverse();
        decisions.retain(|decision| seen.insert((decision.task.clone(), decision.action == Action::Start)));
        decisions.reverse();
        CycleReport { time: now.wall, skipped, source, consumption, no_data: self.no_data, decisions }
    }

    /// Makes the cycle's record from what arrived and puts it into the window.
    fn update(&mut self, now: Now) -> Option<Source> {
        let source = if self.meter.is_fresh(self.net) {
            Some(Source::Meter)
        } else if now.at.since(self.last_meter.at) > self.settings.max_record_gap && self.fallback.is_fresh(self.net) {
            Some(Source::Fallback)
        } else {
            None
        };
        if let Some(source) = source {
            if self.no_data {
                // It came in time and was noticed too late: what was before the gap confirms no start after it.
                self.window.clear();
            }
            let room = self.window.make_room(source);
            let record = self.record(source, room, now);
            self.window.push(record);
        }
        self.meter.end_cycle();
        self.fallback.end_cycle();
        source
    }

    pub(crate) fn refresh_owners(&mut self) {
        if self.owners_stale {
            let registered = self.tasks.iter().enumerate().filter(|(_, task)| task.registration.is_some());
            self.owners = Owners::new(self.keys.len(), registered.map(|(slot, task)| (slot, task.keys.as_slice())));
            self.order = (0..self.tasks.len()).filter(|slot| self.tasks[*slot].registration.is_some()).collect();
            self.owners_stale = false;
        }
    }

    fn record(&self, source: Source, mut record: Record, now: Now) -> Record {
        record.values.extend(self.keys.iter().map(|key| match self.owners.of(key) {
            [] => self.measured(source, key, now).map(|measured| measured.value),
            owners => Some(self.owned(key, owners, source, now)),
        }));
        record.net = record.value(self.net);
        record.ran.extend(self.tasks.iter().map(|task| task.registration.is_some() && task.running()));
        record
    }

    /// A key's value, from the meter where the fallback has none.
    fn measured(&self, source: Source, key: KeyId, now: Now) -> Option<Measured> {
        let meter = || self.meter.value(key, now.at);
        match source {
            Source::Meter => meter(),
            Source::Fallback => self.fallback.value(key, now.at).or_else(meter),
        }
    }

    /// What counts on a key of tasks: also when it says nothing.
    pub(crate) fn owned(&self, key: KeyId, owners: &[usize], source: Source, now: Now) -> Watts {
        let switched = owners.iter().filter_map(|slot| self.tasks[*slot].switched()).max();
        let measured = self.measured(source, key, now);
        let recent = measured.filter(|measured| switched.is_none_or(|switched| measured.at >= switched));
        let smallest = owners.iter().map(|slot| self.tasks[*slot].power()).reduce(Watts::min).unwrap_or_default();
        let threshold = self.settings.ignore_power_threshold.min(smallest * 0.5).max(Watts::ZERO);
        let told = |value: Watts| if value < threshold { Watts::ZERO } else { value };
        match recent {
            Some(measured) => told(measured.value),
            None => owners.iter().map(|slot| declared(&self.tasks[*slot], told)).sum(),
        }
    }

    /// The newest record by key, as the window keeps it; empty while there is none.
    pub fn latest_record(&self) -> impl Iterator<Item = (&str, Watts)> {
        let values = self.window.latest().into_iter().flat_map(|record| self.keys.iter().zip(&record.values));
        values.filter_map(|(key, value)| Some((self.keys.name(key), (*value)?)))
    }

    /// Asks the rules and tells the decisions.
    fn schedule(&mut self, now: Now) {
        for task in &mut self.tasks {
            task.stopping = false;
        }
        self.sort_by_importance();
        let mut choices = self.ordered(now);
        let outcome = self.decide(&choices, now);
        for (load, learned) in outcome.learned {
            self.tasks[self.order[load]].learned = learned;
        }
        for (load, share) in outcome.covered.into_iter().enumerate() {
            if let Some(share) = share {
                self.tasks[self.order[load]].verdict = Verdict::Covered(share);
            }
        }
        for (load, why) in outcome.waiting {
            let slot = self.order[load];
            self.tasks[slot].verdict = Verdict::Waits(self.waits(&self.tasks[slot], why));
        }
        choices.extend(outcome.choices);
        self.carry_out(choices, now);
    }

    fn decide(&self, ordered: &[Choice], now: Now) -> Outcome {
        let mut orders = vec![None; self.tasks.len()];
        for choice in ordered {
            orders[choice.slot] = Some(choice.action);
        }
        let surround = || self.surroundings(now);
        let mut scene = Scene::new(&Parts {
            tasks: &self.tasks,
            order: &self.order,
            orders: &orders,
            owners: &self.owners,
            window: &self.window,
            settings: &self.settings,
            now: now.at,
            surround: &surround,
        });
        let learned: Vec<_> = (0..scene.loads.len())
            .filter(|load| scene.loads[*load].adjustable)
            .map(|load| (load, stopping::learned(&scene, load)))
            .collect();
        for (load, learned) in &learned {
            scene.loads[*load].learned = *learned;
        }
        let keys = self.keys.len();
        let covered = covered_by_production(&scene, keys);
        let mut choices = Vec::new();
        let elected = self.ask(&scene, &covered, &mut choices);
        let started = elected.started.iter();
        choices.extend(started.map(|(load, offer)| self.start(&scene, *load, offer, Rule::Elected, "")));
        Outcome { covered, waiting: elected.waiting, learned, choices }
    }

    /// The rules in their order, then the election. Whom they stop, and whom the fourth starts, goes into `choices`.
    fn ask(&self, scene: &Scene<'_>, covered: &[Option<Share>], choices: &mut Vec<Choice>) -> Elected {
        let keys = self.keys.len();
        let conflicts = conflicting_keys(scene);
        if !conflicts.is_empty() {
            let stopped: Vec<usize> = conflicts.iter().map(|(load, ..)| *load).collect();
            for (load, rival, key) in conflicts {
                let (rival, key) = (scene.id(rival), self.keys.name(key));
                let reason = format!("it shares `{key}` with {rival}, which runs and goes first");
                choices.push(stop(scene, load, Rule::ConflictingKeys, reason, None));
            }
            return elect(scene, &mut Sheet::new(scene, keys, &stopped, &[]), &stopped);
        }
        if let Some((load, ratio, error)) = failing_criteria(scene, covered) {
            let used = scene.power_used_by(load);
            let keep = match error {
                Some(why) => format!("keep fails ({why})"),
                None => format!("keep is not met ({})", scene.criterion(load)),
            };
            let reason = format!("{keep}: the sun covers {ratio} of what it used, {used} now");
            choices.push(stop(scene, load, Rule::FailingCriteria, reason, Some(ratio)));
            return elect(scene, &mut Sheet::new(scene, keys, &[load], &[]), &[load]);
        }
        if let Some(found) = diminishing_adjustable(scene) {
            let (hungry, gain) = (scene.id(found.hungry), found.gain);
            let used = scene.power_used_by(found.hungry);
            let reason = format!("{hungry} is more important, uses {used} and could use up to {gain} more");
            let load = found.stopped;
            choices.push(stop(scene, load, Rule::DiminishingAdjustable, reason, covered[load]));
            return elect(scene, &mut Sheet::new(scene, keys, &[load], &[load]), &[load]);
        }
        let mut sheet = Sheet::new(scene, keys, &[], &[]);
        let Some(found) = lower_priority(scene, &mut sheet) else { return elect(scene, &mut sheet, &[]) };
        let names: Vec<_> = found.stopped.iter().map(|load| scene.id(*load).as_str()).collect();
        for load in &found.stopped {
            let (id, power, ratio) = (scene.id(found.started), scene.loads[found.started].power, found.offer.ratio);
            let reason = format!("{id} is more important: without this one it has ratio {ratio} of its {power}");
            choices.push(stop(scene, *load, Rule::LowerPriority, reason, covered[*load]));
        }
        let instead = format!(", in place of {}", names.join(", "));
        choices.push(self.start(scene, found.started, &found.offer, Rule::LowerPriority, &instead));
        elect(scene, &mut sheet, &found.stopped)
    }

    /// What a stopped task waits for.
    fn waits(&self, task: &Task, why: Electable) -> Waits {
        let power = task.power();
        match why {
            Electable::SharesKey { with, key } => {
                let holder = self.tasks[self.order[with]].id.clone();
                Waits::Key { key: self.keys.name(key).to_owned(), holder }
            }
            Electable::Waits => Waits::Answer,
            Electable::Unconfirmed(offer, missing) => {
                Waits::Records { missing, of: self.settings.confirm_records, ratio: offer.ratio }
            }
            Electable::NotWhole(offer) => Waits::sun(&offer, Some(Share::FULL), None, power),
            Electable::Failed(offer, why) => Waits::sun(&offer, None, Some(format!("start fails ({why})")), power),
            Electable::Yes(offer) | Electable::Short(offer) => match task.least_start_ratio() {
                Some(needs) => Waits::sun(&offer, Some(needs), None, power),
                None if task.answers_itself() => Waits::sun(&offer, None, None, power),
                None => {
                    let why = format!("start is not met ({})", task.criterion(false));
                    Waits::sun(&offer, None, Some(why), power)
                }
            },
        }
    }

    fn start(&self, scene: &Scene<'_>, load: usize, offer: &Offer, rule: Rule, instead: &str) -> Choice {
        let (Load { task, slot, power, .. }, ratio) = (&scene.loads[load], offer.ratio);
        let (rule, reason) = if task.pressed {
            let rule = if rule == Rule::Elected { Rule::Daily } else { rule };
            (rule, format!("{}{instead}", self.deadline_in_words(task, scene.now)))
        } else {
            let (available, criterion) = (*power * ratio.0, scene.criterion(load));
            (rule, format!("{available} are available for its {power}, ratio {ratio} ({criterion}){instead}"))
        };
        Choice { slot: *slot, action: Action::Start, rule, reason, ratio: Some(ratio) }
    }

    /// `record` and `now` for expressions.
    fn surroundings(&self, now: Now) -> (Value, Value) {
        // A map: pairs collected straight into a value would be a list.
        let record: BTreeMap<_, _> = self.latest_record().map(|(key, value)| (key, value.0)).collect();
        let local = now.wall.to_zoned_datetime(self.settings.time_zone.clone());
        let now = minijinja::context! {
            hour => local.hour(),
            minute => local.minute(),
            weekday => local.weekday().to_monday_zero_offset(),
        };
        (record.into(), now)
    }
}

/// What a cycle came to, before it is applied.
struct Outcome {
    /// By load, which is the place in `order`.
    covered: Vec<Option<Share>>,
    waiting: Vec<(usize, Electable)>,
    learned: Vec<(usize, Option<Watts>)>,
    /// Stops first.
    choices: Vec<Choice>,
}

fn stop(scene: &Scene<'_>, load: usize, rule: Rule, reason: String, ratio: Option<Share>) -> Choice {
    Choice { slot: scene.loads[load].slot, action: Action::Stop, rule, reason, ratio }
}

/// What a task counts as on one of its keys when the key says nothing: what it tells itself, as far as that is more than
/// standby, or its share of its `power`, however small on many keys.
fn declared(task: &Task, told: impl Fn(Watts) -> Watts) -> Watts {
    if !task.running() {
        return Watts::ZERO;
    }
    let own = if task.key_names().is_empty() { task.state.as_ref().and_then(|state| state.usage) } else { None };
    #[expect(clippy::cast_precision_loss, reason = "a task has few keys")]
    own.map_or_else(|| task.power() * (task.keys.len().max(1) as f64).recip(), told)
}
