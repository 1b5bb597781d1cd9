//! The scheduler alone, through its public interface: time and sun are arguments, nothing sleeps.
mod by_hand;
mod charging;
mod clouds;
mod confirmation;
mod consumption;
mod criteria;
mod daily;
mod doubts;
mod exclusive_keys;
mod finished;
mod guards;
mod lcg;
mod leases;
mod missing_data;
mod modes;
mod noise;
mod properties;
mod random_days;
mod records;
mod restarts;
mod setpoints;
mod standing_problems;
mod tables;

use std::time::Duration;

use sunward::core::{
    Action, Activity, Criteria, Criterion, CycleReport, Event, Instant, Instruction, Mode, Now, Priority, Refusal,
    Registration, Scheduler, Settings, Snapshot, Source, TaskId, TaskSnapshot, TaskState, TaskView, UserCommand,
};
use sunward::units::{Quantity, Share, Watts};

use lcg::Lcg;

/// One appliance: what it registers, how it is, and what it draws.
#[derive(Debug, Clone)]
struct Appliance {
    id: TaskId,
    registration: Registration,
    state: TaskState,
    /// Drawn while it runs; an adjustable one draws at least this.
    draws: f64,
    /// An adjustable one takes the sun up to here.
    at_most: f64,
    /// It doesn't follow commands.
    deaf: bool,
}

/// A low plain task with one key, called as itself.
fn plain(id: &str, power: f64) -> Appliance {
    let id = TaskId::new(id).unwrap();
    let mut registration = Registration::new(&id, Watts(power));
    registration.keys = vec![id.to_string()];
    Appliance { id, registration, state: TaskState::plain(false), draws: power, at_most: power, deaf: false }
}

/// One that takes up to `at_most` by itself, and says so.
fn adjustable(id: &str, power: f64, at_most: f64) -> Appliance {
    let mut it = plain(id, power);
    it.registration.auto_adjust = true;
    it.registration.max_power = Some(Watts(at_most));
    Appliance { at_most, ..it }
}

impl Appliance {
    fn high(self) -> Self {
        self.with(|registration| registration.priority = Priority::High)
    }

    fn with(mut self, change: impl FnOnce(&mut Registration)) -> Self {
        change(&mut self.registration);
        self
    }

    fn criteria(self, start: f64, keep: f64) -> Self {
        let at_least = |share| Criterion::AtLeast(Share(share));
        self.with(|registration| registration.criteria = Criteria { start: at_least(start), keep: at_least(keep) })
    }

    fn expressions(self, start: &str, keep: &str) -> Self {
        let [start, keep] = [start, keep].map(|source| Criterion::expression(source).unwrap());
        self.with(|registration| registration.criteria = Criteria { start, keep })
    }

    fn drawing(self, draws: f64) -> Self {
        Self { draws, ..self }
    }

    fn running(mut self) -> Self {
        self.state.running = true;
        self.state.fields = [("running", true)].into_iter().collect();
        self
    }

    fn deaf(self) -> Self {
        Self { deaf: true, ..self }
    }
}

/// One step of a time line. Between the steps no time passes but what `Wait` says.
#[derive(Debug, Clone)]
enum Do {
    /// The meter says this.
    Meter(&'static [(&'static str, f64)]),
    Fallback(&'static [(&'static str, f64)]),
    /// The meter says this again: there is one record of it already, so that two confirm a start.
    Steady(&'static [(&'static str, f64)]),
    Wait(u64),
    Cycle,
    User(UserCommand),
    /// A user sets a task's mode, for so many seconds or until it is set again.
    Set(&'static str, Mode, Option<u64>),
    /// A user sets a task's priority.
    Prefer(&'static str, Option<Priority>),
    /// A task says that it runs, or doesn't.
    On(&'static str),
    Off(&'static str),
    Available(&'static str, Option<bool>),
    /// The connection is back that was lost so many seconds ago.
    Reconnect(u64),
    /// A task registers again, changed.
    Register(&'static str, fn(&mut Registration)),
    Unregister(&'static str),
    /// A task says something else of itself.
    Say(&'static str, fn(&mut TaskState)),
}

/// A scheduler, its appliances, the sun above them, and the time.
struct Home {
    scheduler: Scheduler,
    now: Now,
    begin: Now,
    appliances: Vec<Appliance>,
    /// Production less what nobody schedules.
    sun: f64,
    /// Standard deviation of the meter's error.
    noise: f64,
    random: Lcg,
    /// `1:00 start heater elected`
    log: Vec<String>,
    /// `1:00 ev 1400`
    setpoints: Vec<String>,
}

impl Home {
    /// Takes over what an earlier run knew of a task. Returns whether it still gets its set-point.
    fn restore(&mut self, id: &TaskId, known: TaskSnapshot) -> bool {
        let snapshot = Snapshot { tasks: [(id.clone(), known)].into(), ..Snapshot::default() };
        self.scheduler.restore(snapshot, self.now).contains(id)
    }

    fn new(appliances: Vec<Appliance>) -> Self {
        Self::with(Settings::default(), appliances)
    }

    /// 10:00 in UTC, a Monday.
    fn with(settings: Settings, appliances: Vec<Appliance>) -> Self {
        Self::at("2026-06-01T10:00:00Z", settings, appliances)
    }

    fn at(wall: &str, settings: Settings, appliances: Vec<Appliance>) -> Self {
        let now = Now { at: Instant::START + Duration::from_secs(100_000), wall: wall.parse().unwrap() };
        let mut scheduler = Scheduler::new(settings, now);
        for Appliance { id, registration, state, .. } in &appliances {
            scheduler.handle(Event::Registered(id.clone(), Box::new(registration.clone())), now).unwrap();
            scheduler.handle(Event::State(id.clone(), Box::new(state.clone())), now).unwrap();
            scheduler.handle(Event::Availability(id.clone(), Some(true)), now).unwrap();
        }
        let (sun, noise, random, log, setpoints) = (0.0, 0.0, Lcg(1), Vec::new(), Vec::new());
        Self { scheduler, now, begin: now, appliances, sun, noise, random, log, setpoints }
    }

    fn power(&mut self, source: Source, values: &[(&str, f64)]) -> Result<(), Refusal> {
        let values = values.iter().map(|(key, value)| ((*key).to_owned(), Quantity(*value))).collect();
        self.scheduler.handle(Event::Power { source, values, measured: None }, self.now)
    }

    fn meter(&mut self, values: &[(&str, f64)]) {
        self.power(Source::Meter, values).unwrap();
    }

    /// The meter says again what it said before: of that there is one record, on which nobody decided.
    fn steady(&mut self, values: &[(&str, f64)]) {
        let paused = self.scheduler.activity() == Activity::Paused;
        self.meter(values);
        if !paused {
            self.scheduler.handle(Event::Command(UserCommand::Pause), self.now).unwrap();
        }
        self.cycle();
        if !paused {
            self.scheduler.handle(Event::Command(UserCommand::Resume), self.now).unwrap();
        }
        self.meter(values);
    }

    /// Time passes; the scheduler is woken when it asked to be.
    fn wait(&mut self, seconds: u64) {
        let until = self.now + Duration::from_secs(seconds);
        while let Some(wake) = self.scheduler.next_wakeup().filter(|wake| *wake <= until.at) {
            self.now = self.now + wake.since(self.now.at);
            self.scheduler.wake(self.now);
            self.follow();
        }
        self.now = until;
    }

    fn cycle(&mut self) -> CycleReport {
        let report = self.scheduler.cycle(self.now);
        self.follow();
        report
    }

    /// Writes the decisions down. Who isn't deaf follows them a moment later, and says so.
    fn follow(&mut self) {
        let passed = self.now.at.since(self.begin.at).as_secs();
        while let Some(instruction) = self.scheduler.next_instruction() {
            if let Instruction::Setpoint(task, watts) = &instruction {
                let watts = watts.map_or("cleared".into(), |watts| format!("{:.0}", watts.0));
                self.setpoints.push(format!("{}:{:02} {task} {watts}", passed / 60, passed % 60));
            }
            if let Instruction::Renew(task) = &instruction {
                self.log.push(format!("{}:{:02} renew {task}", passed / 60, passed % 60));
            }
            let Some(decision) = instruction.decision() else { continue };
            let start = decision.action == Action::Start;
            let action = if start { "start" } else { "stop" };
            let (task, rule) = (&decision.task, decision.rule);
            self.log.push(format!("{}:{:02} {action} {task} {rule}", passed / 60, passed % 60));
            if !self.appliance(decision.task.as_str()).deaf {
                self.says(decision.task.as_str(), |state| state.running = start);
            }
        }
    }

    fn appliance(&mut self, id: &str) -> &mut Appliance {
        self.appliances.iter_mut().find(|appliance| appliance.id.as_str() == id).unwrap()
    }

    /// A task changes its state and tells it.
    fn says(&mut self, id: &str, change: impl FnOnce(&mut TaskState)) {
        let appliance = self.appliance(id);
        change(&mut appliance.state);
        let event = Event::State(appliance.id.clone(), Box::new(appliance.state.clone()));
        let moment_later = self.now + Duration::from_millis(1);
        self.scheduler.handle(event, moment_later).unwrap();
    }

    fn apply(&mut self, step: &Do) {
        match step {
            Do::Meter(values) => self.meter(values),
            Do::Steady(values) => self.steady(values),
            Do::Fallback(values) => self.power(Source::Fallback, values).unwrap(),
            Do::Wait(seconds) => self.wait(*seconds),
            Do::Cycle => drop(self.cycle()),
            Do::User(command) => {
                self.scheduler.handle(Event::Command(*command), self.now).unwrap();
                self.follow();
            }
            Do::Set(id, mode, lasting) => {
                let lasting = lasting.map(Duration::from_secs);
                self.scheduler.handle(Event::Mode(TaskId::new(id).unwrap(), *mode, lasting), self.now).unwrap();
                self.follow();
            }
            Do::Prefer(id, priority) => {
                self.scheduler.handle(Event::Priority(TaskId::new(id).unwrap(), *priority), self.now).unwrap();
            }
            Do::On(id) => self.says(id, |state| state.running = true),
            Do::Off(id) => self.says(id, |state| state.running = false),
            Do::Available(id, available) => {
                let event = Event::Availability(TaskId::new(id).unwrap(), *available);
                self.scheduler.handle(event, self.now).unwrap();
            }
            Do::Reconnect(seconds) => {
                let lost = self.now.at - Duration::from_secs(*seconds);
                self.scheduler.handle(Event::Reconnected(lost), self.now).unwrap();
            }
            Do::Register(id, change) => {
                let appliance = self.appliance(id);
                change(&mut appliance.registration);
                let event = Event::Registered(appliance.id.clone(), Box::new(appliance.registration.clone()));
                self.scheduler.handle(event, self.now).unwrap();
            }
            Do::Unregister(id) => {
                self.scheduler.handle(Event::Unregistered(TaskId::new(id).unwrap()), self.now).unwrap();
                self.follow();
            }
            Do::Say(id, change) => self.says(id, change),
        }
    }

    /// One minute of physics: adjustable tasks take what the others leave of the sun, the meter tells it, the scheduler
    /// decides, and the appliances follow.
    fn minute(&mut self) -> CycleReport {
        self.wait(60);
        let drawn = self.draw();
        let net = drawn.iter().sum::<f64>() - self.sun + self.noise * self.random.normal();
        let mut values = vec![("net".to_owned(), Quantity(net))];
        for (appliance, watts) in self.appliances.iter().zip(drawn) {
            values.extend(appliance.registration.keys.iter().map(|key| (key.clone(), Quantity(watts))));
        }
        self.scheduler.handle(Event::Power { source: Source::Meter, values, measured: None }, self.now).unwrap();
        self.cycle()
    }

    fn minutes(&mut self, minutes: u32) {
        for _ in 0..minutes {
            self.minute();
        }
    }

    /// What each appliance draws now. The first adjustable one of the list takes first.
    fn draw(&self) -> Vec<f64> {
        let least = |appliance: &Appliance| if appliance.state.running { appliance.draws } else { 0.0 };
        let mut left = (self.sun - self.appliances.iter().map(least).sum::<f64>()).max(0.0);
        self.appliances
            .iter()
            .map(|appliance| {
                let more = if appliance.state.running { (appliance.at_most - appliance.draws).max(0.0) } else { 0.0 };
                let taken = more.min(left);
                left -= taken;
                least(appliance) + taken
            })
            .collect()
    }

    fn view(&self, id: &str) -> TaskView {
        self.scheduler.tasks(self.now).into_iter().find(|view| view.id.as_str() == id).unwrap()
    }

    fn runs(&self) -> Vec<&str> {
        let running = self.appliances.iter().filter(|appliance| appliance.state.running);
        running.map(|appliance| appliance.id.as_str()).collect()
    }
}

/// What a home does on a time line, as `minutes:seconds action task rule`.
#[track_caller]
fn check(appliances: Vec<Appliance>, steps: &[Do], expect: &[&str]) {
    check_with(Settings::default(), appliances, steps, expect);
}

#[track_caller]
fn check_with(settings: Settings, appliances: Vec<Appliance>, steps: &[Do], expect: &[&str]) {
    let mut home = Home::with(settings, appliances);
    for step in steps {
        home.apply(step);
    }
    assert_eq!(home.log, expect);
}
