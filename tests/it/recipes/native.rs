//! Plugs that register themselves: the Arduino sketch, compiled for this computer with a clock of its own, and the ESPHome
//! configuration.
//!
//! Refuses to say anything of the boards' toolchains: `pio run` and `esphome config` are for a person to run.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use insta::assert_snapshot;
use serde_json::{Value, json};
use sunward::config::Protocol;

use super::{read, repository};
use crate::home::Home;

/// The sketch, running.
struct Sketch {
    process: Child,
    output: BufReader<ChildStdout>,
    /// What it does when it is switched on.
    set_up: Vec<String>,
}

impl Sketch {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("sketch");
        let compiled = Command::new("c++")
            .args(["-std=c++17", "-Wall", "-Wextra", "-Werror", "-I"])
            .arg(repository("tests/data/sketch"))
            .arg(repository("examples/arduino/src/main.cpp"))
            .arg(repository("tests/data/sketch/harness.cpp"))
            .arg("-o")
            .arg(&program)
            .output()
            .expect("needs a C++ compiler: sudo apt-get install -y g++");
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        let mut process =
            Command::new(&program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it was just compiled");
        let output = BufReader::new(process.stdout.take().unwrap());
        let mut sketch = Self { process, output, set_up: Vec::new() };
        sketch.set_up = sketch.done();
        sketch
    }

    /// Lets something happen to it, and says what it does then.
    fn when(&mut self, happens: &str) -> Vec<String> {
        writeln!(self.process.stdin.as_mut().unwrap(), "{happens}").unwrap();
        self.done()
    }

    fn done(&mut self) -> Vec<String> {
        let lines = self.output.by_ref().lines().map(Result::unwrap);
        lines.take_while(|line| line != ".").collect()
    }
}

impl Drop for Sketch {
    fn drop(&mut self) {
        // It has ended by itself if the test failed for that.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_sketch_registers_obeys_and_stops_when_its_lease_runs_out() {
    let mut sketch = Sketch::start();
    assert_snapshot!(sketch.set_up.join("\n"), @"pin 12 low");
    assert_snapshot!(sketch.when("wait 100").join("\n"), @r#"
    connect sunward-boiler clean
    will 1 retained sunward/task/boiler/availability offline
    publish retained sunward/task/boiler/config {"name": "Boiler", "power": 2000, "lease": "5m", "min_on": "5m", "min_off": "5m"}
    subscribe 1 sunward/task/boiler/set
    publish retained sunward/task/boiler/state {"running": false}
    publish retained sunward/task/boiler/availability online
    "#);
    let start = "message sunward/task/boiler/set start";
    assert_snapshot!(sketch.when(start).join("\n"), @r#"
    pin 12 high
    publish retained sunward/task/boiler/state {"running": true}
    "#);
    // Its clock starts again from 0 in these minutes. The state is told again: PubSubClient's QoS is 0.
    let told = sketch.when("wait 235000");
    assert_eq!(told, vec![r#"publish retained sunward/task/boiler/state {"running": true}"#; 7]);
    // A start renews the lease, and so it ends five minutes after the last one, with or without a broker.
    assert_eq!(sketch.when(start), [""; 0]);
    sketch.when("wait 200000");
    assert_eq!(sketch.when("broker off"), [""; 0]);
    assert_eq!(sketch.when("wait 99900"), [""; 0]);
    assert_snapshot!(sketch.when("wait 200").join("\n"), @r"
    serial the lease ran out
    pin 12 low
    ");
    let back = sketch.when("broker on").join("\n") + &sketch.when("wait 5000").join("\n");
    assert!(back.contains(r#"publish retained sunward/task/boiler/state {"running": false}"#), "{back}");
    sketch.when(start);
    assert_snapshot!(sketch.when("message sunward/task/boiler/set stop").join("\n"), @r#"
    pin 12 low
    publish retained sunward/task/boiler/state {"running": false}
    "#);
    assert_eq!(sketch.when("message sunward/task/boiler/set startle"), [""; 0]);
}

/// What a sketch publishes, told to the broker.
async fn carry(home: &mut Home, said: &[String]) {
    for line in said {
        if let Some((topic, payload)) = line.strip_prefix("publish retained ").and_then(|rest| rest.split_once(' ')) {
            home.retain(topic, payload).await;
        }
    }
}

#[tokio::test]
async fn sunward_runs_the_sketch() {
    let mut sketch = Sketch::start();
    let mut home = Home::new(Protocol::V5, "").await;
    carry(&mut home, &sketch.when("wait 100")).await;
    home.report("boiler", |report| report["status"] == "stopped" && report["error"] == Value::Null).await;
    let cycle = home.cycle_with(json!({"net": -2500})).await;
    assert_eq!(cycle.commands, ["boiler=start"]);
    carry(&mut home, &sketch.when("message sunward/task/boiler/set start")).await;
    home.report("boiler", |report| report["status"] == "running").await;
    carry(&mut home, &["publish retained sunward/task/boiler/availability offline".to_owned()]).await;
    home.report("boiler", |report| report["status"] == "unreachable").await;
}

/// The payload that the ESPHome configuration publishes on a topic, and its own lease.
fn esphome() -> (String, String) {
    let yaml = read("examples/devices/esphome-plug.yaml");
    let of = |key: &str| {
        let line = yaml.lines().map(str::trim).find_map(|line| line.strip_prefix(key));
        line.unwrap_or_else(|| panic!("there is no line with {key}")).trim().trim_matches(['"', '\'']).to_owned()
    };
    let config = yaml.lines().map(str::trim).find_map(|line| line.strip_prefix("payload: '{"));
    let config = config.expect("no registration").trim_end_matches('\'').replace("${power}", &of("power: "));
    (format!("{{{config}"), of("- delay: "))
}

#[tokio::test]
async fn esphome_registers_with_the_lease_that_it_minds() {
    let (config, lease) = esphome();
    let registration: Value = serde_json::from_str(&config).unwrap();
    assert_eq!((registration["lease"].as_str(), lease.as_str()), (Some("5m"), "5min"));
    let mut home = Home::new(Protocol::V5, "").await;
    home.retain("sunward/task/boiler/config", &config).await;
    home.retain("sunward/task/boiler/availability", "online").await;
    home.retain("sunward/task/boiler/state", r#"{"running": false, "usage": 0}"#).await;
    home.report("boiler", |report| report["status"] == "stopped" && report["error"] == Value::Null).await;
    assert_eq!(home.cycle_with(json!({"net": -2500})).await.commands, ["boiler=start"]);
    home.retain("sunward/task/boiler/state", r#"{"running": true, "usage": 1987}"#).await;
    home.cycle_with(json!({"net": -500})).await;
    home.report("boiler", |report| report["power"] == 1987).await;
}
