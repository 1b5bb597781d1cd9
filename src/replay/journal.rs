//! `--journal`: every decision of every scenario, one JSON object a line.

use std::io::{self, Write};

use serde_json::json;

use crate::replay::scenario::Scenario;
use crate::wire::report;

/// Writes the decisions of each scenario in the order of their times.
///
/// # Errors
/// Only those of the writer.
pub fn journal(scenarios: &[Scenario], mut out: impl Write) -> io::Result<()> {
    for scenario in scenarios {
        let ids: Vec<&str> = scenario.home.tasks().map(|task| task.id.as_str()).collect();
        for entry in &scenario.diary.journal {
            let switch = &entry.switch;
            let line = json!({
                "time": report::time(entry.time.timestamp()),
                "by": scenario.name,
                "action": if switch.start { "start" } else { "stop" },
                "task": ids[switch.task],
                "rule": switch.rule,
                "reason": switch.reason,
            });
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}
