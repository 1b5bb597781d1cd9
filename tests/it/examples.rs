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
    insta::assert_snapshot!(printed("embed_scheduler"), @"");
}
