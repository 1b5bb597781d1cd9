//! `[[task]]` and `[[replay.task]]`: the tables as they were written, and what they must not be beside each other.
//!
//! What a single table means is read by [`crate::devices::Task`] and [`crate::replay::PlannedTask`], with the code that
//! reads registrations.

use std::collections::HashMap;

use super::{Config, Invalid};
use crate::devices::Task;
use crate::replay::PlannedTask;

/// Everything that can't be meant in the tasks.
pub(super) fn problems(config: &Config) -> Vec<Invalid> {
    let mut found = Vec::new();
    let mut refuse = |key: String, message: String| found.push(Invalid { key, against: None, message });
    // Wrong ones are reported by their own keys.
    let criteria = config.criteria().unwrap_or_default();
    let own = format!("{}/", config.mqtt.base_topic);
    let mut ids = HashMap::new();
    let mut commands = HashMap::new();
    for (number, task) in config.task.iter().enumerate() {
        let key = |name: &str| format!("task[{number}].{name}");
        let device = match Task::read(task, &criteria) {
            Ok(device) => device,
            Err(problem) => {
                let name = problem.named().map_or_else(|| format!("task[{number}]"), &key);
                refuse(name, problem.problem().to_owned());
                continue;
            }
        };
        for name in task.keys().filter(|name| name.ends_with("_topic")) {
            if task[name].as_str().is_some_and(|topic| topic.starts_with(&own)) {
                let problem = format!("what begins with \"{own}\" is Sunward's own, expected a topic of the device");
                refuse(key(name), problem);
            }
        }
        if let Some(other) = ids.insert(device.id.clone(), number) {
            refuse(key("id"), format!("\"{}\" is taken by task[{other}] already", device.id));
        }
        // A strip of several plugs may have one topic for all, and tells them apart by what the command says.
        for payload in [device.commands.on, device.commands.off] {
            let command = (device.command_topic.clone(), payload);
            if let Some(other) = commands.get(&command) {
                let problem = format!("what says {:?} there is taken by task[{other}] already", command.1);
                refuse(key("command_topic"), problem);
                break;
            }
            commands.insert(command, number);
        }
    }
    let mut ids = HashMap::new();
    for (number, task) in config.replay.task.iter().enumerate() {
        let key = |name: &str| format!("replay.task[{number}].{name}");
        match PlannedTask::read(task, &config.task, &criteria) {
            Ok(task) => {
                if let Some(other) = ids.insert(task.id.clone(), number) {
                    refuse(key("id"), format!("\"{}\" is taken by replay.task[{other}] already", task.id));
                }
            }
            Err(problem) => refuse(key(problem.named().unwrap_or("id")), problem.problem().to_owned()),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::config::validate::tests::check;

    const PLUG: &str = "id = \"a\"\npower = 500\ncommand_topic = \"cmnd/a/POWER\"\n";

    #[test]
    fn a_task_needs_an_id_a_power_and_a_command_topic() {
        check(&format!("[[task]]\n{PLUG}"), &[]);
        check("[[task]]\n", &["task[0].id: missing, expected a name such as \"boiler\""]);
        check("[[task]]\nid = \"a\"", &["task[0].power: missing, expected a number of watts above 0, at most 10 MW"]);
        check(
            "[[task]]\nid = \"a\"\npower = 500",
            &["task[0].command_topic: missing, expected a topic such as \"cmnd/boiler/POWER\""],
        );
    }

    #[test]
    fn every_task_is_told_by_its_number() {
        check(
            &format!("[[task]]\n{PLUG}[[task]]\npwer = 3\n[[task]]\nid = \"c\"\npower = \"2 kW\""),
            &[
                "task[1].pwer: unknown field, did you mean `power`?",
                "task[2].power: expected a number of watts above 0, at most 10 MW, found \"2 kW\"",
            ],
        );
        check(
            &format!("[[task]]\n{PLUG}criteria = {{ start = \"rato > 1\" }}"),
            &[
                "task[0].criteria.start: `rato` is unknown: an expression may use ratio, power, running, priority, on_for, \
               off_for, state, record, now",
            ],
        );
    }

    #[test]
    fn ids_and_commands_are_there_once() {
        check(
            &format!("[[task]]\n{PLUG}[[task]]\n{PLUG}"),
            &[
                "task[1].id: \"a\" is taken by task[0] already",
                "task[1].command_topic: what says \"ON\" there is taken by task[0] already",
            ],
        );
        let strip = |socket: &str, off: &str| {
            format!(
                "[[task]]\nid = \"{socket}\"\npower = 500\ncommand_topic = \"strip/set\"\n\
                 payload_on = '{{\"{socket}\": \"ON\"}}'\npayload_off = '{{\"{off}\": \"OFF\"}}'\n"
            )
        };
        check(&format!("{}{}", strip("l1", "l1"), strip("l2", "l2")), &[]);
        check(
            &format!("{}{}", strip("l1", "l1"), strip("l2", "l1")),
            &["task[1].command_topic: what says \"{\\\"l1\\\": \\\"OFF\\\"}\" there is taken by task[0] already"],
        );
        // What they listen to they may share.
        let sharing = "state_topic = \"tele/strip/STATE\"\nvalue_template = \"{{ value_json.POWER1 }}\"\n";
        let other = PLUG.replace("\"a\"", "\"b\"").replace("/a/", "/b/");
        check(&format!("[[task]]\n{PLUG}{sharing}[[task]]\n{other}{sharing}"), &[]);
    }

    #[test]
    fn tasks_of_a_replay_are_checked_too() {
        check("[[replay.task]]\nid = \"a\"\npower = 500", &[]);
        check(&format!("[[task]]\n{PLUG}[[replay.task]]\nid = \"a\""), &[]);
        check(
            "[[replay.task]]\nid = \"a\"\n[[replay.task]]\nid = \"b\"\npower = 1\nneed = \"8\"",
            &[
                "replay.task[0].power: missing, expected a number of watts above 0, at most 10 MW",
                "replay.task[1].need: expected \"recorded\", an energy such as \"8 kWh\" or \"500 Wh\", or a run time such as \
                 \"2h\", found \"8\"",
            ],
        );
        check(
            "[[replay.task]]\nid = \"a\"\npower = 1\n[[replay.task]]\nid = \"a\"\npower = 1",
            &["replay.task[1].id: \"a\" is taken by replay.task[0] already"],
        );
    }

    #[test]
    fn topics_are_those_of_devices() {
        let own = "what begins with \"home/\" is Sunward's own, expected a topic of the device";
        check(
            &format!("mqtt.base_topic = \"home\"\n[[task]]\n{PLUG}state_topic = \"home/task/a/state\""),
            &[&format!("task[0].state_topic: {own}")],
        );
        check(
            &format!("mqtt.base_topic = \"home\"\n[[task]]\n{PLUG}query_topic = \"home/power\""),
            &[&format!("task[0].query_topic: {own}")],
        );
        check(&format!("mqtt.base_topic = \"home\"\n[[task]]\n{PLUG}state_topic = \"homes/a\""), &[]);
        check(
            &format!("[[task]]\n{PLUG}state_topic = \"stat/+/POWER\""),
            &["task[0].state_topic: expected one topic, without the wildcard +, found \"stat/+/POWER\""],
        );
    }
}
