//! The examples that need no broker do what their documentation says.

use std::process::Command;

/// What an example prints.
fn printed(example: &str) -> String {
    // Cargo builds the examples of a package with its tests, beside their folder.
    let tests = std::env::current_exe().unwrap();
    let folder = tests.parent().and_then(|deps| deps.parent()).unwrap().join("examples");
    let output = Command::new(folder.join(example)).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_core_can_be_driven_by_hand() {
    insta::assert_snapshot!(printed("embed_scheduler"), @"
    10:00 boiler: waits for a second record
    10:01 start boiler: 2500 W are available for its 2000 W, ratio 1.25 (ratio >= 1.00) (elected)
    10:01 boiler: 2500 W are available for its 2000 W, ratio 1.25 (ratio >= 1.00)
    10:02 boiler: the sun covers 1.00 of it
    10:03 stop boiler: keep is not met (ratio >= 0.75): the sun covers 0.60 of what it used, 2000 W now (failing_criteria)
    10:03 boiler: keep is not met (ratio >= 0.75): the sun covers 0.60 of what it used, 2000 W now
    10:04 boiler: needs ratio 1.00, has 0.00: 2000 W short
    10:05 boiler: needs ratio 1.00, has 0.00: 2000 W short
    ");
}
