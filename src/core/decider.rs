//! Asks the rules of a cycle in their order.

use std::collections::BTreeMap;

use minijinja::Value;

use crate::core::directives::directive::Directive;
use crate::core::meter::key::Keys;
use crate::core::meter::window::Window;
use crate::core::output::{Action, Rule};
use crate::core::registry::Registry;
use crate::core::rules::availability::{Offer, Sheet};
use crate::core::rules::covered_share::covered_by_production;
use crate::core::rules::cycle_view::{Load, Parts, Scene};
use crate::core::rules::election::{Electable, Elected, elect};
use crate::core::rules::stopping::{self, conflicting_keys, diminishing_adjustable, failing_criteria, lower_priority};
use crate::core::settings::Settings;
use crate::core::task::task::Task;
use crate::core::task::verdict::{Verdict, Waits};
use crate::core::time::Now;
use crate::units::{Share, Watts};

/// What a cycle is decided on.
pub(crate) struct Decider<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) window: &'a Window,
    pub(crate) settings: &'a Settings,
    pub(crate) keys: &'a Keys,
    pub(crate) now: Now,
}

impl Decider<'_> {
    /// Asks the rules. `directed`: what modes and guards have decided already.
    pub(crate) fn decide(&self, directed: &[Directive]) -> Outcome {
        let now = self.now;
        let mut orders = vec![None; self.registry.tasks().len()];
        for directive in directed {
            orders[directive.slot] = Some(directive.action);
        }
        let surround = || self.surroundings();
        let mut scene = Scene::new(&Parts {
            tasks: self.registry.tasks(),
            order: self.registry.order(),
            orders: &orders,
            owners: self.registry.all_owners(),
            window: self.window,
            settings: self.settings,
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
        let order = self.registry.order();
        let mut verdicts: Vec<(usize, Verdict)> = Vec::new();
        verdicts.extend(
            covered.iter().enumerate().filter_map(|(load, share)| Some((order[load], Verdict::Covered((*share)?)))),
        );
        verdicts.extend(
            elected
                .waiting
                .into_iter()
                .map(|(load, why)| (order[load], Verdict::Waits(self.waits(self.registry.task(order[load]), why)))),
        );
        let learned = learned.into_iter().map(|(load, learned)| (order[load], learned)).collect();
        Outcome { verdicts, learned, directives: choices }
    }

    /// The rules in their order, then the election. Whom they stop, and whom the fourth starts, goes into `choices`.
    fn ask(&self, scene: &Scene<'_>, covered: &[Option<Share>], choices: &mut Vec<Directive>) -> Elected {
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
                let holder = self.registry.task(self.registry.order()[with]).id.clone();
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

    fn start(&self, scene: &Scene<'_>, load: usize, offer: &Offer, rule: Rule, instead: &str) -> Directive {
        let (Load { task, slot, power, .. }, ratio) = (&scene.loads[load], offer.ratio);
        let (rule, reason) = if task.deadline_due() {
            let rule = if rule == Rule::Elected { Rule::Daily } else { rule };
            (rule, format!("{}{instead}", task.deadline_in_words(scene.now, &self.settings.time_zone)))
        } else {
            let (available, criterion) = (*power * ratio.0, scene.criterion(load));
            (rule, format!("{available} are available for its {power}, ratio {ratio} ({criterion}){instead}"))
        };
        Directive { slot: *slot, action: Action::Start, rule, reason, ratio: Some(ratio) }
    }

    /// `record` and `now` for expressions.
    fn surroundings(&self) -> (Value, Value) {
        // A map: pairs collected straight into a value would be a list.
        let record: BTreeMap<_, _> = self.window.latest_by_key(self.keys).map(|(key, value)| (key, value.0)).collect();
        let local = self.now.wall.to_zoned_datetime(self.settings.time_zone.clone());
        let now = minijinja::context! {
            hour => local.hour(),
            minute => local.minute(),
            weekday => local.weekday().to_monday_zero_offset(),
        };
        (record.into(), now)
    }
}

/// What the rules came to, before it is carried out.
pub(crate) struct Outcome {
    /// What they found of each task that they judged, by slot.
    pub(crate) verdicts: Vec<(usize, Verdict)>,
    /// What adjustable tasks were seen to be able to use, by slot.
    pub(crate) learned: Vec<(usize, Option<Watts>)>,
    /// Stops first.
    pub(crate) directives: Vec<Directive>,
}

fn stop(scene: &Scene<'_>, load: usize, rule: Rule, reason: String, ratio: Option<Share>) -> Directive {
    Directive { slot: scene.loads[load].slot, action: Action::Stop, rule, reason, ratio }
}
