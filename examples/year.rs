//! A recorded year, replayed over a real broker: four simulated plugs in a recorded home, one hour a record.
//!
//! ```sh
//! mosquitto -p 1884 &
//! SUNWARD__MQTT__URL=mqtt://127.0.0.1:1884 cargo run --release -- run &
//! zcat tests/data/opsd_residential4_60min.csv.gz | cargo run --release --example year -- --url mqtt://127.0.0.1:1884
//! ```
//!
//! The recorded consumption of the four circuits is each day's need. It is taken out of `net`, and what the plugs draw is put
//! in instead; base load and sun stay as they were recorded. Every step waits for the scheduler: nothing sleeps.

#![allow(clippy::print_stdout, reason = "an example talks to whoever tries it")]

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Parser;
use serde_json::Value;
use sunward::client::{Command, Order, PowerRecord, Priority, Registration, Scheduler, State, Task};
use sunward::config::Mqtt;
use sunward::units::Watts;

/// Replays a recorded year to a running Sunward.
#[derive(Parser)]
struct Arguments {
    /// The broker that Sunward is connected to.
    #[arg(long, default_value = "mqtt://127.0.0.1:1883")]
    url: String,
    /// Only records whose time begins with this.
    #[arg(long, default_value = "2016")]
    only: String,
    /// Prints every this many cycles how the scheduler sees the tasks.
    #[arg(long)]
    show: Option<u32>,
}

/// The scheduler has so long to answer a step.
const PATIENCE: Duration = Duration::from_secs(10);

/// One plug with an appliance that has a need.
struct Plug {
    /// Its column in the record, its key, and its id.
    key: &'static str,
    power: f64,
    max_power: f64,
    /// Once it runs it can't be stopped before its need is met.
    uninterruptible: bool,
    task: Task,
    running: bool,
    /// Watt-hours.
    need: f64,
    used: f64,
    asked: f64,
}

impl Plug {
    fn register(
        mqtt: &Mqtt,
        key: &'static str,
        priority: Priority,
        power: f64,
        max_power: f64,
    ) -> anyhow::Result<Self> {
        let mut registration = Registration::new(Watts(power));
        registration.priority = Some(priority);
        registration.keys = vec![key.into()];
        if max_power > power {
            registration.auto_adjust = Some(true);
            registration.max_power = Some(Watts(max_power));
        }
        let task = Task::register(mqtt, key.parse()?, registration)?;
        let (uninterruptible, running) = (key == "dishwasher", false);
        let plug = Self { key, power, max_power, uninterruptible, task, running, need: 0.0, used: 0.0, asked: 0.0 };
        plug.tell()?;
        Ok(plug)
    }

    fn tell(&self) -> anyhow::Result<()> {
        let mut state = State::running(self.running);
        state.runnable = Some(self.need > 0.0);
        state.stoppable = Some(!(self.uninterruptible && self.running));
        Ok(self.task.publish_state(state)?)
    }

    /// How the scheduler has to see it.
    fn status(&self) -> &'static str {
        match (self.running, self.need > 0.0) {
            (true, _) => "running",
            (false, true) => "stopped",
            (false, false) => "unrunnable",
        }
    }

    /// What it draws in an hour in which so much is there for it.
    fn draw(&mut self, surplus: f64) -> f64 {
        if !self.running {
            return 0.0;
        }
        let drawn = surplus.clamp(self.power, self.max_power).min(self.need);
        self.need -= drawn;
        self.used += drawn;
        if self.need < 1.0 {
            self.need = 0.0;
            self.running = false;
        }
        drawn
    }
}

#[derive(Default)]
struct Totals {
    cycles: u32,
    drawn: f64,
    covered: f64,
    decisions: BTreeMap<(String, String), u32>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mqtt = Mqtt { url: Some(arguments.url), client_id: "year".into(), ..Mqtt::default() };
    let mut scheduler = Scheduler::connect(&mqtt)?;
    scheduler.ready(PATIENCE).await?;
    if !scheduler.is_online() {
        bail!("no scheduler is online there");
    }
    let client = |id: &str| Mqtt { client_id: format!("year-{id}"), ..mqtt.clone() };
    let mut plugs = [
        Plug::register(&client("ev"), "ev", Priority::High, 1400.0, 7400.0)?,
        Plug::register(&client("hp"), "heat_pump", Priority::Medium, 600.0, 600.0)?,
        Plug::register(&client("dw"), "dishwasher", Priority::Low, 700.0, 700.0)?,
        Plug::register(&client("wm"), "washing_machine", Priority::Low, 500.0, 500.0)?,
    ];
    let mut totals = Totals::default();
    let begun = Instant::now();
    for row in read(&arguments.only)? {
        hour(&mut scheduler, &mut plugs, &row, &mut totals).await?;
        if arguments.show.is_some_and(|every| totals.cycles.is_multiple_of(every)) {
            println!("{}", row["time"]);
            for (id, report) in scheduler.reports() {
                println!("  {id:16} {:11} {}", report["status"].as_str().unwrap_or("?"), report["reason"]);
            }
        }
    }
    print(&plugs, &totals, begun.elapsed());
    for Plug { task, .. } in plugs {
        task.unregister().await;
    }
    Ok(())
}

/// The rows of the recording by column; the needs of a day come at its first hour.
fn read(only: &str) -> anyhow::Result<Vec<BTreeMap<String, String>>> {
    let mut lines = std::io::stdin().lock().lines();
    let header: Vec<String> = lines.next().context("no header")??.split(',').map(str::to_owned).collect();
    let mut rows = Vec::new();
    for line in lines {
        let row: BTreeMap<String, String> = header.iter().cloned().zip(line?.split(',').map(str::to_owned)).collect();
        if row["time"].starts_with(only) {
            rows.push(row);
        }
    }
    Ok(rows)
}

async fn hour(
    scheduler: &mut Scheduler,
    plugs: &mut [Plug],
    row: &BTreeMap<String, String>,
    totals: &mut Totals,
) -> anyhow::Result<()> {
    let value = |key: &str| row[key].parse::<f64>().unwrap_or(0.0);
    let recorded: f64 = plugs.iter().map(|plug| value(plug.key)).sum();
    let mut net = value("net") - recorded;
    let mut record = PowerRecord::from([("solar".into(), value("solar"))]);
    let mut drawn = 0.0;
    // The charger takes what the others leave.
    for plug in plugs.iter_mut().rev() {
        let usage = plug.draw(-net);
        net += usage;
        drawn += usage;
        record.insert(plug.key.into(), usage);
    }
    record.insert("net".into(), net);
    totals.cycles += 1;
    totals.drawn += drawn;
    totals.covered += (drawn - net.max(0.0)).clamp(0.0, drawn);
    // What was consumed in this hour when it was recorded is wanted from now on.
    for plug in plugs.iter_mut() {
        plug.need += value(plug.key);
        plug.asked += value(plug.key);
    }
    settle(scheduler, plugs).await?;
    // Records carry their number, by which the report of their cycle is known.
    let number = f64::from(totals.cycles);
    record.insert("number".into(), number);
    scheduler.publish_power(&record)?;
    scheduler.order(Order::Schedule)?;
    let is_reported = |cycle: Value| cycle["record"]["number"].as_f64() == Some(number);
    wait(scheduler, "the cycle's report", |scheduler| scheduler.cycle().is_some_and(is_reported)).await?;
    let cycle = scheduler.cycle().unwrap_or_default();
    for (list, expected) in [("stopped", Command::Stop), ("started", Command::Start)] {
        for decision in cycle[list].as_array().into_iter().flatten() {
            let text = |key: &str| decision[key].as_str().unwrap_or_default().to_owned();
            *totals.decisions.entry((list.into(), text("rule"))).or_default() += 1;
            let plug = plugs.iter_mut().find(|plug| plug.key == text("task")).context("a task of somebody else")?;
            let command = tokio::time::timeout(PATIENCE, plug.task.next()).await.context("a command never came")?;
            if command != Some(expected) {
                bail!("{} was told {command:?}, its report says {list}", plug.key);
            }
            plug.running = expected == Command::Start;
        }
    }
    // A plug answers at once, not an hour later.
    settle(scheduler, plugs).await
}

/// Tells every state, and waits until the scheduler has it.
async fn settle(scheduler: &mut Scheduler, plugs: &[Plug]) -> anyhow::Result<()> {
    for plug in plugs {
        plug.tell()?;
    }
    wait(scheduler, "the states", |scheduler| {
        let reports = scheduler.reports();
        plugs.iter().all(|plug| reports.get(plug.task.id()).is_some_and(|report| report["status"] == plug.status()))
    })
    .await
}

async fn wait(scheduler: &mut Scheduler, what: &str, done: impl Fn(&Scheduler) -> bool) -> anyhow::Result<()> {
    let waiting = async {
        while !done(scheduler) {
            if !scheduler.changed().await {
                bail!("the connection ended");
            }
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, waiting).await.with_context(|| format!("waited in vain for {what}"))?
}

fn print(plugs: &[Plug], totals: &Totals, took: Duration) {
    let Totals { cycles, drawn, covered, decisions } = totals;
    println!("{cycles} cycles in {:.1} s, {:.0} a second", took.as_secs_f64(), f64::from(*cycles) / took.as_secs_f64());
    for ((list, rule), count) in decisions {
        println!("{list:8} {rule:24} {count:6}");
    }
    for plug in plugs {
        println!("{:16} used {:8.0} Wh of {:8.0} Wh needed", plug.key, plug.used, plug.asked);
    }
    println!("in all {drawn:.0} Wh, {:.1} % of it covered by the sun", 100.0 * covered / drawn.max(1.0));
}
