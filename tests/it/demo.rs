//! The demo as a whole: a home lives on the embedded broker, and any client can watch it and hold it.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout};
use tokio::time::timeout;

use crate::home::{AVAILABILITY, CYCLE, SET, STATE, program};
use crate::peer::{PATIENCE, Peer};

struct Demo {
    process: Child,
    out: BufReader<ChildStdout>,
    url: String,
    said: String,
    _folder: tempfile::TempDir,
}

impl Demo {
    async fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = program(folder.path());
        command.args(["demo", "--listen", "127.0.0.1:0"]).args(arguments).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        let mut said = String::new();
        timeout(PATIENCE, out.read_line(&mut said)).await.expect("it says nothing").unwrap();
        let url = said.split_whitespace().find(|word| word.starts_with("mqtt://")).expect(&said);
        let url = url.trim_end_matches(':').to_owned();
        Self { process, out, url, said, _folder: folder }
    }

    /// As Ctrl-C ends it. Answers everything that it said.
    async fn interrupt(mut self) -> String {
        let id = self.process.id().expect("it has ended already").to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        timeout(PATIENCE, self.out.read_to_string(&mut self.said)).await.expect("it does not end").unwrap();
        let status = timeout(PATIENCE, self.process.wait()).await.expect("it does not end").unwrap();
        assert!(status.success(), "{status}: {}", self.said);
        self.said
    }
}

fn is(payload: &str, key: &str, expect: impl Into<Value>) -> bool {
    serde_json::from_str::<Value>(payload).is_ok_and(|value| value[key] == expect.into())
}

#[tokio::test]
async fn tasks_start_and_stop_and_anybody_may_pause() {
    let demo = Demo::start(&["--speed", "1500"]).await;
    let mut peer = Peer::new(&demo.url, &["sunward/#"]).await;
    peer.expect(AVAILABILITY, |payload| payload == "online").await;

    // The sun rises; the scheduler starts and stops tasks, and they follow.
    for (command, running) in [("start", true), ("stop", false)] {
        let task = peer.until(command, |item| task_of(item, "set", |payload| payload == command)).await;
        peer.expect(&format!("sunward/task/{task}/state"), |payload| is(payload, "running", running)).await;
    }

    peer.publish(SET, "pause").await;
    peer.expect(STATE, |payload| is(payload, "paused", true)).await;
    for _ in 0..20 {
        let meanwhile = peer.collect_until(CYCLE).await;
        assert!(!meanwhile.iter().any(|message| message.contains("/set=")), "{meanwhile:?}");
    }
    peer.publish(SET, "resume").await;
    peer.expect(STATE, |payload| is(payload, "paused", false)).await;
    peer.until("a start", |item| task_of(item, "set", |payload| payload == "start")).await;

    let said = demo.interrupt().await;
    peer.expect(AVAILABILITY, |payload| payload == "offline").await;
    for expect in ["Sunward is active", "Sunward is paused", "  start ", "  stop  ", "self-consumption", "from the sun"]
    {
        assert!(said.contains(expect), "{expect} is missing: {said}");
    }
    assert!(!said.contains('\x1b'), "escape codes where there is no terminal: {said:?}");
}

#[tokio::test]
async fn the_meter_is_honest_and_cycles_follow_the_simulated_clock() {
    let demo = Demo::start(&["--speed", "1500", "--date", "2026-05-01"]).await;
    let mut peer = Peer::new(&demo.url, &["sunward/power", CYCLE]).await;
    let mut times: Vec<jiff::Timestamp> = Vec::new();
    while times.len() < 30 {
        let item = peer.next().await;
        let sunward::mqtt::Incoming::Message(message) = item else { continue };
        let value: Value = serde_json::from_slice(&message.payload).unwrap();
        if message.topic == CYCLE {
            times.push(value["time"].as_str().unwrap().parse().unwrap());
            continue;
        }
        let watts = |key: &str| value[key].as_f64().unwrap_or_else(|| panic!("{key}: {value}"));
        let tasks: f64 = ["boiler", "ev", "pool", "dishwasher", "washer"].map(watts).iter().sum();
        let base = watts("net") + watts("solar") - tasks;
        assert!((119.0..12_000.0).contains(&base), "{value}");
    }
    // A busy computer may skip cycles, and be late; each one that runs belongs to its minute.
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
    assert!(times[0].to_string().starts_with("2026-05-01T03:"), "{}", times[0]);
    let span = times[29].duration_since(times[0]).as_secs();
    assert!((29 * 55..6 * 3600).contains(&span), "{times:?}");
    demo.interrupt().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_terminal_is_painted_on_and_left_as_it_was() {
    const CONTROL_C: &str = "\x03";
    for ending in ["q", CONTROL_C, "signal"] {
        let mut terminal = Terminal::open(COLUMNS, ROWS);
        let folder = tempfile::tempdir().unwrap();
        let mut command = program(folder.path());
        command.args(["demo", "--listen", "127.0.0.1:0", "--speed", "1500"]).env("TERM", "xterm-256color");
        let slave = || Stdio::from(terminal.slave.try_clone().unwrap());
        let mut process = command.stdin(slave()).stdout(slave()).stderr(Stdio::null()).spawn().unwrap();

        terminal.shows("p pause  q quit").await;
        assert!(terminal.screen.screen().alternate_screen() && terminal.screen.screen().hide_cursor());
        terminal.shows("Sunward is active").await;
        assert!(!terminal.echoes(), "what is typed would spoil the picture");
        terminal.press("p");
        terminal.shows("Sunward is paused").await;
        match ending {
            "signal" => {
                let id = process.id().expect("it has ended already").to_string();
                assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
            }
            key => terminal.press(key),
        }
        terminal.shows("self-sufficiency").await;
        assert!(terminal.screen.screen().contents().contains("Sunward is paused"), "the last picture stays");
        assert!(!terminal.screen.screen().alternate_screen() && !terminal.screen.screen().hide_cursor());
        let status = timeout(PATIENCE, process.wait()).await.expect("it does not end").unwrap();
        assert!(status.success(), "{status}");
        assert!(terminal.echoes(), "{ending:?}");
    }
}

/// A terminal, seen from the side of those who look at it.
#[cfg(unix)]
struct Terminal {
    master: std::fs::File,
    slave: std::fs::File,
    painted: tokio::sync::mpsc::UnboundedReceiver<Vec<u8>>,
    screen: vt100::Parser,
}

/// The size of a terminal on which the last picture and the summary fit.
#[cfg(unix)]
const COLUMNS: u16 = 100;
#[cfg(unix)]
const ROWS: u16 = 50;

#[cfg(unix)]
impl Terminal {
    fn open(columns: u16, rows: u16) -> Self {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = std::fs::File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        let size = rustix::termios::Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&slave, size).unwrap();
        let master = std::fs::File::from(master);
        let (sender, painted) = tokio::sync::mpsc::unbounded_channel();
        let mut reader = master.try_clone().unwrap();
        std::thread::spawn(move || {
            use std::io::Read as _;
            let mut buffer = [0; 4096];
            while let Ok(count) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let size = |cells| std::num::NonZero::new(cells).unwrap();
        Self { master, slave, painted, screen: vt100::Parser::new(size(rows), size(columns), 0) }
    }

    /// Waits until this can be read on the screen.
    async fn shows(&mut self, expect: &str) {
        let found = timeout(PATIENCE, async {
            while !self.screen.screen().contents().contains(expect) {
                self.screen.process(&self.painted.recv().await.expect("the terminal is gone"));
            }
        });
        let found = found.await;
        assert!(found.is_ok(), "never painted: {expect}\n{}", self.screen.screen().contents());
    }

    fn press(&mut self, key: &str) {
        use std::io::Write as _;
        self.master.write_all(key.as_bytes()).unwrap();
    }

    fn echoes(&self) -> bool {
        let modes = rustix::termios::tcgetattr(&self.slave).unwrap().local_modes;
        modes.contains(rustix::termios::LocalModes::ECHO | rustix::termios::LocalModes::ICANON)
    }
}

/// The task whose topic of this kind says this.
fn task_of(item: &sunward::mqtt::Incoming, kind: &str, expect: impl Fn(&str) -> bool) -> Option<String> {
    let sunward::mqtt::Incoming::Message(message) = item else { return None };
    let (id, topic) = message.topic.strip_prefix("sunward/task/")?.split_once('/')?;
    (topic == kind && expect(&String::from_utf8_lossy(&message.payload))).then(|| id.to_owned())
}

#[tokio::test]
async fn an_address_of_the_call_is_refused_by_the_name_of_the_option() {
    let folder = tempfile::tempdir().unwrap();
    let output = program(folder.path()).args(["demo", "--listen", "foo"]).output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: --listen: \"foo\" is not an address to listen on: "), "{said}");
}
