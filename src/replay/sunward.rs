//! Sunward as the controller: the scheduler of `sunward run`, with the events that its topics would have brought.

use std::collections::HashMap;
use std::time::Duration;

use crate::core::{Action, Daily, Event, Instant, Now, Registration, Scheduler, Settings, Source, TaskId, TaskState};
use crate::replay::appliance::ReplayedAppliance;
use crate::replay::history::ReplayTime;
use crate::replay::home::RecordedHome;
use crate::replay::plan::PlannedTask;
use crate::replay::simulation::{Controller, Switch};
use crate::replay::totals::Flow;
use crate::units::{Quantity, Watts};

/// Where the steady clock begins: late enough for every age to fit.
const BEGIN: Duration = Duration::from_secs(30 * 86_400);

const DAY: Duration = Duration::from_secs(86_400);

/// The scheduler as a controller.
pub(crate) struct Sunward {
    scheduler: Scheduler,
    tasks: HashMap<TaskId, usize>,
    begin: ReplayTime,
    reserve: Watts,
}

impl Sunward {
    /// A scheduler that knows the tasks. A record that comes once a cycle is never too old for it.
    pub(crate) fn new(home: &RecordedHome, settings: Settings, cycle: Duration) -> Self {
        let patient = cycle * 2;
        let settings = Settings {
            max_record_gap: settings.max_record_gap.max(patient),
            expire_after: settings.expire_after.max(patient),
            cycle,
            dry_run: false,
            ..settings
        };
        let (begin, _) = home.span();
        let reserve = settings.reserve;
        let scheduler = Scheduler::new(settings, now(begin, begin));
        let tasks = home.tasks().enumerate().map(|(index, task)| (task.id.clone(), index)).collect();
        let mut sunward = Self { scheduler, tasks, begin, reserve };
        for (task, recorded_task) in home.recorded_tasks.iter().enumerate() {
            let plan = &recorded_task.plan;
            sunward.handle(Event::Registered(plan.id.clone(), Box::new(plan.registration.clone())), begin);
            sunward.handle(Event::Availability(plan.id.clone(), Some(true)), begin);
            sunward.state(home, task, &ReplayedAppliance::new(recorded_task.kind), begin);
        }
        sunward
    }

    fn handle(&mut self, event: Event, at: ReplayTime) {
        let refused = self.scheduler.handle(event, now(self.begin, at));
        debug_assert!(refused.is_ok(), "{refused:?}");
    }
}

impl Controller for Sunward {
    fn reserve(&self) -> Watts {
        self.reserve
    }

    /// What is due is registered anew: so much run time, at its power, until the period ends.
    fn need(&mut self, home: &RecordedHome, task: usize, appliance: &ReplayedAppliance, now: ReplayTime) {
        let PlannedTask { id, registration, model } = &home.recorded_tasks[task].plan;
        if !model.due {
            return;
        }
        let hours = appliance.lacking / appliance.kind.power.0;
        let on_for = Duration::try_from_secs_f64(hours * 3600.0).unwrap_or(DAY).min(DAY);
        let max = registration.daily.as_ref().and_then(|daily| daily.max);
        let daily = Some(Daily { on_for, by: model.by, max });
        self.handle(Event::Registered(id.clone(), Box::new(Registration { daily, ..registration.clone() })), now);
    }

    fn state(&mut self, home: &RecordedHome, task: usize, appliance: &ReplayedAppliance, now: ReplayTime) {
        let (running, runnable) = (appliance.running, appliance.runnable());
        let fields = [("running", running), ("runnable", runnable)].into_iter().collect();
        let state = TaskState { running, runnable, fields, ..TaskState::default() };
        self.handle(Event::State(home.recorded_tasks[task].plan.id.clone(), Box::new(state)), now);
    }

    fn record(&mut self, home: &RecordedHome, row: usize, flow: &Flow<'_>, now: ReplayTime) {
        let tasks = home.tasks().zip(flow.drawn).flat_map(|(task, drawn)| {
            let keys = &task.registration.keys;
            #[expect(clippy::cast_precision_loss, reason = "a task has few keys")]
            let part = *drawn * (keys.len() as f64).recip();
            keys.iter().map(move |key| (key.as_str(), part))
        });
        let others = home.others.iter().filter_map(|other| {
            let (name, _) = &home.history.circuits[*other];
            Some((name.as_str(), home.history.circuit(*other, row)?))
        });
        let values = [("net", flow.net())].into_iter().chain(tasks).chain([("solar", flow.solar)]).chain(others);
        let values = values.map(|(key, power)| (key, Quantity::from(power)));
        // A meter that comes to more than ten megawatts is refused, as it is at home.
        let _ = self.scheduler.measure(Source::Meter, values, None, self::now(self.begin, now));
    }

    fn cycle(
        &mut self,
        _home: &RecordedHome,
        _appliances: &[ReplayedAppliance],
        at: ReplayTime,
        switches: &mut Vec<Switch>,
    ) {
        let now = now(self.begin, at);
        if self.scheduler.next_wakeup().is_some_and(|due| due <= now.at) {
            self.scheduler.wake(now);
        }
        self.scheduler.cycle(now);
        while let Some(instruction) = self.scheduler.next_instruction() {
            let Some(decision) = instruction.decision() else { continue };
            let Some(task) = self.tasks.get(&decision.task) else { continue };
            switches.push(Switch {
                task: *task,
                start: decision.action == Action::Start,
                rule: decision.rule.as_str(),
                reason: decision.reason,
            });
        }
    }
}

fn now(begin: ReplayTime, at: ReplayTime) -> Now {
    Now { at: Instant::START + BEGIN + begin.until(at), wall: at.timestamp() }
}
