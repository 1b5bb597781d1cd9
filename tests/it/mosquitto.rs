//! A real Mosquitto for a test: its own process, a free port, no trace afterwards.
//!
//! Refuses fixed ports and fixed pauses: it is there when it answers.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(10);

/// What a test may want of its broker.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setup {
    /// Lines of an ACL file; absent: everybody may do everything.
    pub(crate) acl: Option<String>,
    /// A user and its password, without which nobody gets in.
    pub(crate) login: Option<(String, String)>,
    /// Largest packet, told to MQTT 5 clients.
    pub(crate) max_packet_size: Option<u32>,
    /// More lines of the configuration.
    pub(crate) extra: String,
}

/// A broker that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Mosquitto {
    folder: TempDir,
    port: u16,
    process: Option<Child>,
}

impl Mosquitto {
    /// Starts one that lets everybody in.
    pub(crate) fn start() -> Self {
        Self::start_with(&Setup::default())
    }

    /// Starts one with more demands.
    pub(crate) fn start_with(setup: &Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Another process may take the free port between our look and Mosquitto's; then the next one is tried.
        for _ in 0..20 {
            let port = free_port();
            configure(folder.path(), port, setup);
            if let Some(process) = run(folder.path(), port) {
                return Self { folder, port, process: Some(process) };
            }
        }
        panic!("no Mosquitto within 20 attempts");
    }

    /// For `mqtt.url`.
    pub(crate) fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Starts it again on the same port, with nothing remembered.
    pub(crate) fn restart(&mut self) {
        self.kill();
        self.process = run(self.folder.path(), self.port);
        assert!(self.process.is_some(), "Mosquitto did not come back on port {}", self.port);
    }

    /// It keeps its connections and answers nothing any more.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// It goes on where it stopped.
    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.kill();
    }
}

/// `None` if it ends at once, as it does when somebody has the port.
fn run(folder: &Path, port: u16) -> Option<Child> {
    let mut process = Command::new("mosquitto")
        .arg("-c")
        .arg(folder.join("mosquitto.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("these tests need Mosquitto: apt-get install mosquitto mosquitto-clients");
    let deadline = Instant::now() + PATIENCE;
    while process.try_wait().unwrap().is_none() {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Some(process);
        }
        assert!(Instant::now() < deadline, "Mosquitto runs but does not listen");
        // There is nothing to wait for but the socket itself.
        std::thread::sleep(Duration::from_millis(5));
    }
    None
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn configure(folder: &Path, port: u16, setup: &Setup) {
    let mut config = format!("listener {port} 127.0.0.1\npersistence false\nset_tcp_nodelay true\n{}\n", setup.extra);
    match &setup.login {
        None => config.push_str("allow_anonymous true\n"),
        Some((name, password)) => {
            let file = folder.join("passwords");
            let made = Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&file).args([name, password]).status();
            assert!(made.unwrap().success());
            writeln!(config, "allow_anonymous false\npassword_file {}", file.display()).unwrap();
        }
    }
    if let Some(acl) = &setup.acl {
        let file = folder.join("acl");
        std::fs::write(&file, acl).unwrap();
        writeln!(config, "acl_file {}", file.display()).unwrap();
    }
    if let Some(limit) = setup.max_packet_size {
        writeln!(config, "max_packet_size {limit}").unwrap();
    }
    // Started by root, Mosquitto becomes another user, who could not read the folder.
    if Command::new("id").arg("-u").output().unwrap().stdout == b"0\n" {
        config.push_str("user root\n");
    }
    std::fs::write(folder.join("mosquitto.conf"), config).unwrap();
}
