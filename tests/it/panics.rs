//! A panic ends the program. It has none that could be asked for, so the test runs itself once more, begins as the program
//! does, and panics where nobody waits for the outcome.

use std::process::Command;

use clap::Parser as _;
use sunward::cli::{self, Arguments};

/// Set in the process that is to panic.
const CHILD: &str = "TEST_PANICS";

#[test]
fn a_panic_in_any_task_is_logged_with_its_place_and_ends_the_process() {
    if std::env::var_os(CHILD).is_some() {
        cli::begin(&Arguments::parse_from(["sunward"]));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        // Without a hook the runtime would catch this, and whoever doesn't look would never know.
        let task = runtime.spawn(async { panic!("of a test") });
        let _ = runtime.block_on(task);
        return;
    }
    let name = "panics::a_panic_in_any_task_is_logged_with_its_place_and_ends_the_process";
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([name, "--exact", "--nocapture"]).env(CHILD, "1").env_remove("SUNWARD_LOG");
    let output = child.output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{}: {log}", output.status);
    for said in ["ERROR", "unexpected failure: ", "tests/it/panics.rs:", "of a test"] {
        assert!(log.contains(said), "{said:?} is missing: {log}");
    }
}
