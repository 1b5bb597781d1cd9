//! How Sunward is confined where it is installed: the unit of systemd, the images.

use std::process::Command;

/// Points of `systemd-analyze security` that the unit may have at most, of 100.
const EXPOSURE: &str = "--threshold=20";

fn repository(name: &str) -> String {
    std::fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Where there is no systemd, `.ci/run` says that it is skipped.
#[test]
fn the_unit_exposes_less_than_two_of_ten() {
    let unit = format!("{}/contrib/systemd/sunward.service", env!("CARGO_MANIFEST_DIR"));
    let arguments = ["security", "--offline=true", "--no-pager", EXPOSURE, &unit];
    let Ok(output) = Command::new("systemd-analyze").args(arguments).output() else { return };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("Overall exposure"), "{said}");
}

#[test]
fn the_unit_keeps_its_store_its_watchdog_and_its_limits() {
    let unit = repository("contrib/systemd/sunward.service");
    for line in
        ["StateDirectory=sunward", "WorkingDirectory=%S/sunward", "Type=notify", "WatchdogSec=60", "MemoryMax=128M"]
    {
        assert!(unit.lines().any(|found| found == line), "{line}");
    }
}

#[test]
fn containers_have_no_capabilities_and_one_port_of_this_computer() {
    let compose = repository("docker-compose.yml");
    for line in ["read_only: true", "cap_drop: [ALL]", "security_opt: [\"no-new-privileges:true\"]", "pids_limit: 64"] {
        assert!(compose.contains(line), "{line}");
    }
    for service in ["mosquitto", "sunward"] {
        let section = compose.split(&format!("\n  {service}:\n")).nth(1).unwrap().split("\n\n").next().unwrap();
        assert!(section.starts_with("    <<: *confined") && section.contains("mem_limit: 128m"), "{section}");
    }
    let ports: Vec<&str> = compose.lines().filter(|line| line.trim_start().starts_with("ports:")).collect();
    assert_eq!(ports, ["    ports: [\"127.0.0.1:1883:1883\"]"]);
    assert!(repository("Dockerfile").lines().any(|line| line == "USER 65534:65534"));
}
