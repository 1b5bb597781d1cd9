//! Asks the rules of a cycle in their order.

use std::collections::BTreeMap;

use minijinja::Value;

use crate::core::directives::directive::Directive;
use crate::core::meter::key::Keys;
use crate::core::meter::window::Window;
use crate::core::output::{Action, Rule};
use crate::core::registry::Registry;
use crate::core::rules::availability::{Availability, Offer};
use crate::core::rules::covered_share::covered_by_production;
use crate::core::rules::cycle_task::CycleTask;
use crate::core::rules::cycle_view::{CycleView, ViewParts};
use crate::core::rules::election::{Electable, Elected, elect};
use crate::core::rules::stopping::{
    self, Failing, conflicting_keys, diminishing_adjustable, failing_criteria, lower_priority,
};
use crate::core::settings::Settings;
use crate::core::task::task::Task;
use crate::core::task::verdict::Waits;
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
    pub(crate) fn decide(&self, directed: &[Directive]) -> RulesOutcome {
        let mut actions = vec![None; self.registry.tasks().len()];
        for directive in directed {
            actions[directive.slot] = Some(directive.action);
        }
        let surround = || self.surroundings();
        let mut view = CycleView::new(&ViewParts {
            tasks: self.registry.tasks(),
            order: self.registry.order(),
            directed: &actions,
            owners: self.registry.all_owners(),
            window: self.window,
            settings: self.settings,
            now: self.now.at,
            surround: &surround,
        });
        let learned: Vec<_> = (0..view.tasks.len())
            .filter(|place| view.tasks[*place].adjustable)
            .map(|place| (place, stopping::learned(&view, place)))
            .collect();
        for (place, learned) in &learned {
            view.tasks[*place].learned = *learned;
        }
        let keys = self.keys.len();
        let covered = covered_by_production(&view, keys);
        let mut directives = Vec::new();
        let elected = self.ask(&view, &covered, &mut directives);
        let started = elected.started.iter();
        directives.extend(started.map(|(place, offer)| self.start(&view, *place, offer, Rule::Elected, "")));
        let order = self.registry.order();
        let covered = covered.iter().enumerate().filter_map(|(place, share)| Some((order[place], (*share)?))).collect();
        let waiting = elected.waiting.into_iter().map(|(place, why)| {
            let slot = order[place];
            (slot, self.waits(self.registry.task(slot), why))
        });
        let waiting = waiting.collect();
        let learned = learned.into_iter().map(|(place, learned)| (order[place], learned)).collect();
        RulesOutcome { covered, waiting, learned, exhausted: view.take_exhausted(), directives }
    }

    /// The rules in their order, then the election. What they stop, and what the fourth starts, goes into `directives`.
    fn ask(&self, view: &CycleView<'_>, covered: &[Option<Share>], directives: &mut Vec<Directive>) -> Elected {
        let keys = self.keys.len();
        // A deaf task is told to stop once more, and stands in nobody's way: the rules go on as if it could not be stopped.
        let conflicts = conflicting_keys(view);
        let told: Vec<usize> = conflicts.iter().map(|(place, ..)| *place).collect();
        for (place, holder, key) in conflicts {
            let (holder, key) = (view.id(holder), self.keys.name(key));
            let reason = format!("it shares `{key}` with {holder}, which runs and goes first");
            directives.push(stop(view, place, Rule::ConflictingKeys, reason, None));
        }
        let stopped: Vec<usize> = told.iter().copied().filter(|place| !view.tasks[*place].deaf).collect();
        if !stopped.is_empty() {
            return elect(view, &mut Availability::new(view, keys, &stopped, &[]), &stopped);
        }
        for Failing { place, ratio, error } in failing_criteria(view, covered) {
            if told.contains(&place) {
                continue;
            }
            let used = view.power_used_by(place);
            let keep = match error {
                Some(why) => format!("keep fails ({why})"),
                None => format!("keep is not met ({})", view.criterion(place)),
            };
            let reason = format!("{keep}: the sun covers {ratio} of what it used, {used} now");
            directives.push(stop(view, place, Rule::FailingCriteria, reason, Some(ratio)));
            if !view.tasks[place].deaf {
                return elect(view, &mut Availability::new(view, keys, &[place], &[]), &[place]);
            }
        }
        if let Some(found) = diminishing_adjustable(view) {
            let (receiver, gain) = (view.id(found.receiver), found.gain);
            let used = view.power_used_by(found.receiver);
            let reason = format!("{receiver} is more important, uses {used} and could use up to {gain} more");
            let place = found.stopped;
            directives.push(stop(view, place, Rule::DiminishingAdjustable, reason, covered[place]));
            return elect(view, &mut Availability::new(view, keys, &[place], &[place]), &[place]);
        }
        let mut availability = Availability::new(view, keys, &[], &[]);
        let Some(found) = lower_priority(view, &mut availability) else { return elect(view, &mut availability, &[]) };
        let names: Vec<_> = found.stopped.iter().map(|place| view.id(*place).as_str()).collect();
        for place in &found.stopped {
            let (id, power, ratio) = (view.id(found.started), view.tasks[found.started].power, found.offer.ratio);
            let reason = format!("{id} is more important: without this one it has ratio {ratio} of its {power}");
            directives.push(stop(view, *place, Rule::LowerPriority, reason, covered[*place]));
        }
        let instead = format!(", in place of {}", names.join(", "));
        directives.push(self.start(view, found.started, &found.offer, Rule::LowerPriority, &instead));
        elect(view, &mut availability, &found.stopped)
    }

    /// What a stopped task waits for.
    fn waits(&self, task: &Task, why: Electable) -> Waits {
        let power = task.power();
        match why {
            Electable::SharesKey { with, key } => {
                let holder = self.registry.task(self.registry.order()[with]).id.clone();
                Waits::Key { key: self.keys.name(key).to_owned(), holder }
            }
            Electable::Blocked => Waits::BackOff,
            Electable::Unconfirmed(offer, missing) => {
                Waits::Records { missing, of: self.settings.confirm_records, ratio: offer.ratio }
            }
            Electable::NotWhole(offer) => sun(&offer, Some(Share::FULL), None, power),
            Electable::Failed(offer, why) => sun(&offer, None, Some(format!("start fails ({why})")), power),
            Electable::Yes(offer) | Electable::Short(offer) => match task.least_start_ratio() {
                Some(needs) => sun(&offer, Some(needs), None, power),
                None if task.answers_itself() => sun(&offer, None, None, power),
                None => {
                    let why = format!("start is not met ({})", task.criterion(false));
                    sun(&offer, None, Some(why), power)
                }
            },
        }
    }

    fn start(&self, view: &CycleView<'_>, place: usize, offer: &Offer, rule: Rule, instead: &str) -> Directive {
        let (CycleTask { task, slot, power, .. }, ratio) = (&view.tasks[place], offer.ratio);
        let (rule, reason) = if task.deadline_due() {
            let rule = if rule == Rule::Elected { Rule::Daily } else { rule };
            (rule, format!("{}{instead}", task.deadline_in_words(view.now, &self.settings.time_zone)))
        } else {
            let (available, criterion) = (*power * ratio.0, view.criterion(place));
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

/// It waits for more sun.
fn sun(offer: &Offer, needs: Option<Share>, why: Option<String>, power: Watts) -> Waits {
    Waits::Sun { ratio: offer.ratio, needs, why, power, held_back: offer.held_back }
}

/// What the rules came to, before it is carried out.
pub(crate) struct RulesOutcome {
    /// The covered share of each running task, by slot.
    pub(crate) covered: Vec<(usize, Share)>,
    /// What each stopped task waits for, by slot.
    pub(crate) waiting: Vec<(usize, Waits)>,
    /// What adjustable tasks were seen to be able to use, by slot.
    pub(crate) learned: Vec<(usize, Option<Watts>)>,
    /// Tasks whose criterion took too much: their slots, whether they run, and why.
    pub(crate) exhausted: Vec<(usize, bool, String)>,
    /// Stops first.
    pub(crate) directives: Vec<Directive>,
}

fn stop(view: &CycleView<'_>, place: usize, rule: Rule, reason: String, ratio: Option<Share>) -> Directive {
    Directive { slot: view.tasks[place].slot, action: Action::Stop, rule, reason, ratio }
}
