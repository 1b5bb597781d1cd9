//! A recorded year of a home, lived again hour by hour with Sunward in charge of its appliances.
//!
//! The circuits of the car, the heat pump, the dishwasher and the washing machine are taken out of what the meter saw
//! and replaced by what plugs do that obey a running Sunward; everything else stays as it was. One record a cycle, and
//! every step waits for what the last one caused, so that a year takes seconds.
//!
//! ```sh
//! zcat tests/data/opsd_residential4_60min.csv.gz | cargo run --release --example year -- --url mqtt://127.0.0.1:1883
//! ```
//!
//! The data: Open Power System Data, Household Data 2020-04-15 (CoSSMic, ISC Konstanz), CC BY 4.0; converted from
//! cumulative kWh to mean watts.

#![allow(clippy::print_stdout, reason = "an example talks to whoever tries it")]

mod appliance;
mod ledger;
mod record;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use serde_json::Value;
use sunward::client::{Command, Order, PowerRecord, Priority, Registration, Scheduler, State, Task};
use sunward::config::Mqtt;
use sunward::units::Watts;
use tokio::time::timeout;

use appliance::Appliance;
use ledger::Ledger;
use record::{CIRCUITS, Hour};

/// Whatever takes longer than this has gone wrong.
const PATIENCE: Duration = Duration::from_secs(10);

/// A recorded year of a home, with Sunward in charge.
#[derive(Parser)]
struct Arguments {
    /// The broker.
    #[arg(long, default_value = "mqtt://127.0.0.1:1883")]
    url: String,
    /// What every topic of that Sunward begins with.
    #[arg(long, default_value = "sunward")]
    base_topic: String,
    /// The year out of the recording.
    #[arg(long, default_value = "2016")]
    year: String,
    /// Whatever has waited for so many hours is urgent, sun or no sun.
    #[arg(long)]
    deadline: Option<usize>,
    /// Prints every decision, and every report of the hours in which there was one.
    #[arg(long)]
    tell: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let hours = record::read(std::io::stdin().lock(), &arguments.year)?;
    let mut home = Home::open(&arguments).await?;
    let mut days: BTreeMap<String, [f64; 4]> = BTreeMap::new();
    for hour in &hours {
        let day = days.entry(hour.day().to_owned()).or_default();
        for (sum, drawn) in day.iter_mut().zip(hour.circuits) {
            *sum += drawn;
        }
    }
    home.settle().await?;
    home.ledger = Ledger::new();
    for (now, hour) in hours.iter().enumerate() {
        home.now = now;
        home.step(hour, days.remove(hour.day())).await.with_context(|| hour.time.clone())?;
    }
    let left = std::array::from_fn(|at| home.plugs[at].appliance.lacking());
    home.ledger.close(left);
    home.note_standing();
    println!("{}", home.ledger);
    for plug in home.plugs {
        plug.task.unregister().await;
    }
    home.scheduler.close().await?;
    Ok(())
}

/// An appliance on the broker.
struct Plug {
    task: Task,
    appliance: Appliance,
    told: Option<State>,
}

struct Home {
    plugs: [Plug; 4],
    scheduler: Scheduler,
    ledger: Ledger,
    cycle: Option<Value>,
    deadline: Option<usize>,
    tell: bool,
    now: usize,
}

impl Home {
    async fn open(arguments: &Arguments) -> anyhow::Result<Self> {
        let mqtt = Mqtt {
            url: Some(arguments.url.clone()),
            base_topic: arguments.base_topic.clone(),
            client_id: "year".into(),
            ..Mqtt::default()
        };
        let plugs = appliance::all().into_iter().map(|appliance| {
            let task = Task::register(&mqtt, appliance.id.parse()?, registration(&appliance))?;
            Ok(Plug { task, appliance, told: None })
        });
        let plugs: Vec<Plug> = plugs.collect::<anyhow::Result<_>>()?;
        let mut scheduler = Scheduler::connect(&mqtt)?;
        scheduler.ready(PATIENCE).await?;
        anyhow::ensure!(scheduler.is_online(), "no Sunward is running on {}", arguments.url);
        anyhow::ensure!(!scheduler.is_paused(), "Sunward is on pause");
        let cycle = scheduler.cycle();
        let plugs = plugs.try_into().map_err(|_| anyhow::anyhow!("a plug for each circuit"))?;
        let Arguments { deadline, tell, .. } = *arguments;
        Ok(Self { plugs, scheduler, ledger: Ledger::new(), cycle, deadline, tell, now: 0 })
    }

    /// One hour and the cycle at its end.
    async fn step(&mut self, hour: &Hour, day: Option<[f64; 4]>) -> anyhow::Result<()> {
        let now = self.now;
        for (at, plug) in self.plugs.iter_mut().enumerate() {
            let wanted = plug.appliance.want(now, hour, day.map(|day| day[at]));
            self.ledger.wanted(at, wanted);
        }
        let record = self.live(hour);
        self.settle().await?;
        self.scheduler.publish_power(&record)?;
        self.scheduler.order(Order::Schedule)?;
        let report = self.next_cycle().await?;
        self.check(hour, &record, &report);
        self.obey(hour, &report).await?;
        self.settle().await?;
        self.look(hour, &report);
        Ok(())
    }

    /// The appliances draw what they draw; the one that follows the sun comes last, and takes what is left.
    fn live(&mut self, hour: &Hour) -> PowerRecord {
        let mut drawn = [0.0; 4];
        let mut net = hour.base();
        let (followers, others): (Vec<usize>, Vec<usize>) =
            (0..4).partition(|at| self.plugs[*at].appliance.max_power.is_some());
        for at in others.into_iter().chain(followers) {
            let lived = self.plugs[at].appliance.live(-net);
            drawn[at] = lived.drawn;
            net += lived.drawn;
            if lived.ended {
                self.ledger.ended(at);
            }
            self.ledger.waited(at, self.plugs[at].appliance.waits(self.now));
        }
        self.ledger.hour(hour, drawn, net);
        let mut record: PowerRecord = hour.others.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect();
        record.extend(CIRCUITS.iter().zip(drawn).map(|(key, drawn)| ((*key).to_owned(), drawn)));
        record.insert("net".to_owned(), net);
        record
    }

    /// Tells what has changed, and waits until Sunward knows it.
    async fn settle(&mut self) -> anyhow::Result<()> {
        for plug in &mut self.plugs {
            let late = self.deadline.is_some_and(|deadline| plug.appliance.waits(self.now) >= deadline);
            let state = state(&plug.appliance, late);
            if plug.told.as_ref() != Some(&state) {
                plug.task.publish_state(state.clone())?;
                plug.told = Some(state);
            }
        }
        let known = async {
            while !self.plugs.iter().all(|plug| is_known(plug, &self.scheduler)) {
                anyhow::ensure!(self.scheduler.changed().await, "the connection has ended");
            }
            Ok(())
        };
        timeout(PATIENCE, known).await.context("Sunward's reports don't follow the states of the plugs")?
    }

    async fn next_cycle(&mut self) -> anyhow::Result<Value> {
        let new = async {
            loop {
                let cycle = self.scheduler.cycle();
                if let Some(report) = cycle.filter(|report| self.cycle.as_ref() != Some(report)) {
                    return Ok(report);
                }
                anyhow::ensure!(self.scheduler.changed().await, "the connection has ended");
            }
        };
        let report = timeout(PATIENCE, new).await.context("no cycle came of `schedule`")??;
        self.cycle = Some(report.clone());
        Ok(report)
    }

    /// Does what the commands say, one for each decision of the report.
    async fn obey(&mut self, hour: &Hour, report: &Value) -> anyhow::Result<()> {
        for (list, expected) in [("stopped", Command::Stop), ("started", Command::Start)] {
            for decision in report[list].as_array().into_iter().flatten() {
                let text = |field: &str| decision[field].as_str().unwrap_or_default();
                let (task, rule) = (text("task"), text("rule"));
                if self.tell {
                    println!("{} {} {task}: {rule}: {}", hour.time, expected_word(expected), text("reason"));
                }
                let at = CIRCUITS.iter().position(|circuit| *circuit == task).context("a task that isn't ours")?;
                let appliance = &mut self.plugs[at].appliance;
                let start = expected == Command::Start;
                if start && (appliance.running || !appliance.runnable()) {
                    self.ledger.odd(format!("{}: {task} was started while it runs or can't", hour.time));
                }
                if !start && (!appliance.running || !appliance.interruptible) {
                    self.ledger.odd(format!("{}: {task} was stopped while it doesn't run or can't be", hour.time));
                }
                appliance.running = start;
                if start {
                    self.ledger.started(at, rule, self.now);
                } else {
                    self.ledger.stopped(at, rule, self.now);
                }
                match timeout(PATIENCE, switch(&mut self.plugs[at].task)).await {
                    Ok(Some(command)) if command == expected => {}
                    other => self.ledger.odd(format!("{}: {task} was told {other:?}, not {expected:?}", hour.time)),
                }
            }
        }
        for plug in &mut self.plugs {
            if let Ok(Some(command)) = timeout(Duration::ZERO, switch(&mut plug.task)).await {
                self.ledger.odd(format!("{}: {} was told {command:?}, unreported", hour.time, plug.appliance.id));
            }
        }
        Ok(())
    }

    fn check(&mut self, hour: &Hour, record: &PowerRecord, report: &Value) {
        if !report["skipped"].is_null() {
            self.ledger.odd(format!("{}: the cycle was skipped: {}", hour.time, report["skipped"]));
            return;
        }
        for (key, sent) in record {
            let told = report["record"][key].as_f64();
            if told.is_none_or(|told| (told - sent).abs() > 1.0) && !(CIRCUITS.contains(&key.as_str()) && *sent < 100.0)
            {
                self.ledger.odd(format!("{}: {key} is {sent} and reported as {told:?}", hour.time));
            }
        }
        if self.tell && decided(report) {
            println!("{} record {}", hour.time, report["record"]);
        }
    }

    /// How Sunward sees the tasks, once it knows what they did.
    fn look(&mut self, hour: &Hour, report: &Value) {
        let tell = self.tell && decided(report);
        for (task, report) in self.scheduler.reports() {
            self.ledger.unanswered(report["unanswered"].as_u64().unwrap_or_default());
            if !report["error"].is_null() {
                self.ledger.odd(format!("{}: {task}: {}", hour.time, report["error"]));
            }
            if tell {
                println!("{} report {task} {report}", hour.time);
            }
        }
    }

    /// What Sunward complains of at the end.
    fn note_standing(&mut self) {
        let state = self.scheduler.state().unwrap_or_default();
        let fine =
            state["state"] == "active" && state["rejected"] == 0 && state["warnings"] == Value::Array(Vec::new());
        if !fine {
            self.ledger.odd(format!("at the end Sunward says {state}"));
        }
    }
}

fn registration(appliance: &Appliance) -> Registration {
    let mut registration = Registration::new(Watts(appliance.power));
    registration.keys = vec![appliance.id.to_owned()];
    registration.max_power = appliance.max_power.map(Watts);
    registration.auto_adjust = appliance.max_power.map(|_| true);
    registration.priority = Some(match appliance.id {
        "dishwasher" => Priority::High,
        "heat_pump" => Priority::Low,
        _ => Priority::Medium,
    });
    registration
}

fn state(appliance: &Appliance, late: bool) -> State {
    let mut state = State::running(appliance.running);
    state.runnable = Some(appliance.runnable());
    state.stoppable = Some(appliance.interruptible);
    if late {
        state.priority = Some(Priority::Urgent);
        state.meets_criteria = Some(true);
    }
    state
}

/// Something was started or stopped.
fn decided(report: &Value) -> bool {
    ["started", "stopped"].iter().any(|list| report[list].as_array().is_some_and(|list| !list.is_empty()))
}

/// The report says what the plug told last.
fn is_known(plug: &Plug, scheduler: &Scheduler) -> bool {
    let Some(state) = &plug.told else { return false };
    let Some(report) = scheduler.reports().remove(plug.task.id()) else { return false };
    let status = match (state.running, state.runnable) {
        (true, _) => "running",
        (false, Some(false)) => "unrunnable",
        (false, _) => "stopped",
    };
    report["status"] == status && (report["priority"] == "urgent") == (state.priority == Some(Priority::Urgent))
}

async fn switch(task: &mut Task) -> Option<Command> {
    loop {
        match task.next().await {
            Some(Command::Setpoint(_)) => {}
            command => return command,
        }
    }
}

fn expected_word(command: Command) -> &'static str {
    if command == Command::Start { "start" } else { "stop" }
}
