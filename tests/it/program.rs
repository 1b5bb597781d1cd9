//! The real program, as a process of a test.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use sunward::config::Protocol;
use sunward::service::{self, Playback};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::peer::PATIENCE;

/// The program, with nothing of the environment that could configure it.
pub(crate) fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sunward"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SUNWARD")) {
        command.env_remove(name);
    }
    command.current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// The scheduler as a process, which ends with this at the latest.
pub(crate) struct Sunward {
    process: Child,
    folder: TempDir,
}

impl Sunward {
    pub(crate) fn spawn(url: Option<&str>, protocol: Protocol, toml: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("sunward.toml"), toml).unwrap();
        let mut command = program(folder.path());
        command.args(["run", "-c", "sunward.toml", "--record", "record"]);
        if !toml.contains("cycle = ") {
            command.env("SUNWARD__SCHEDULER__CYCLE", "1d");
        }
        if !toml.contains("confirm_records = ") {
            // One record tells what a test is about; that two confirm a start is tested with the rules.
            command.env("SUNWARD__SCHEDULER__CONFIRM_RECORDS", "1");
        }
        command.env("SUNWARD__MQTT__PROTOCOL", if protocol == Protocol::V5 { "5" } else { "3.1.1" });
        if let Some(url) = url {
            command.env("SUNWARD__MQTT__URL", url);
        }
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let process = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        Self { process, folder }
    }

    /// As a service manager ends it.
    pub(crate) async fn stop(&mut self) -> ExitStatus {
        self.signal("-TERM");
        timeout(PATIENCE, self.process.wait()).await.expect("it does not end").unwrap()
    }

    /// The most memory that it held so far, in KiB.
    #[cfg(target_os = "linux")]
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.process.id().expect("it has ended already").to_string();
        assert!(std::process::Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Another configuration, and the signal to read it.
    pub(crate) fn reload(&self, toml: &str) {
        std::fs::write(self.folder.path().join("sunward.toml"), toml).unwrap();
        self.signal("-HUP");
    }

    /// As a power cut ends it.
    pub(crate) async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }

    /// Where it wrote down what came in.
    pub(crate) fn record(&self) -> PathBuf {
        self.folder.path().join("record")
    }

    /// Plays its record: without a broker and at other times, the same inputs lead to the same outputs, all of them.
    pub(crate) fn play_again(&self) -> Playback {
        let files = service::recorded_files(&self.record()).unwrap().into_iter();
        let files = files.map(|path| Ok((path.display().to_string(), BufReader::new(File::open(path)?))));
        let playback = service::play(files, None).unwrap_or_else(|problem| panic!("{problem:#}"));
        assert_eq!(playback.difference(), None);
        assert!(playback.not_compared.is_none() && playback.outputs > 0, "{playback:?}");
        playback
    }

    /// The end of what it logged.
    pub(crate) fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
        log.lines().rev().take(20).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}
