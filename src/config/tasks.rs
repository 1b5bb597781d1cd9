//! `[[task]]` and `[[replay.task]]`: what the tables mean, and what they must not be beside each other.
//!
//! A single table is read by [`crate::devices::DeviceTask`] or [`crate::replay::PlannedTask`], with the code that reads
//! registrations.

use std::collections::HashMap;

use super::findings::Findings;
use super::settings::Config;
use crate::core::{Criteria, TaskId};
use crate::devices::{DeviceTask, Devices};
use crate::replay::PlannedTask;
use crate::wire::Table;

/// Returns the off-the-shelf devices, and notes everything in them that can't be meant.
pub(super) fn tasks(config: &Config, criteria: &Criteria, found: &mut Findings) -> Devices {
    let own = format!("{}/", config.mqtt.base_topic);
    let mut tasks = Vec::new();
    let mut beside = Beside::default();
    for (number, table) in config.task.iter().enumerate() {
        let place = format!("task[{number}]");
        if let Some(task) = found.expect_within(&place, DeviceTask::read(table, criteria)) {
            foreign_topics(&place, table, &own, found);
            beside.add(number, &task, found);
            tasks.push(task);
        }
    }
    Devices::new(tasks)
}

/// Returns the tasks of a replay, and notes everything in them that can't be meant.
pub(super) fn replay_tasks(config: &Config, criteria: &Criteria, found: &mut Findings) -> Vec<PlannedTask> {
    let mut tasks: Vec<PlannedTask> = Vec::new();
    let mut ids = HashMap::new();
    for (number, table) in config.replay.task.iter().enumerate() {
        let place = format!("replay.task[{number}]");
        let key = |name: &str| format!("{place}.{name}");
        match PlannedTask::read(table, &config.task, criteria) {
            Ok(task) => {
                if let Some(other) = ids.insert(task.id.clone(), number) {
                    found.refuse(key("id"), format!("\"{}\" is taken by replay.task[{other}] already", task.id));
                }
                tasks.push(task);
            }
            Err(problem) => found.refuse(key(problem.named().unwrap_or("id")), problem.problem()),
        }
    }
    tasks
}

/// Notes topics of a device that are Sunward's own.
fn foreign_topics(place: &str, table: &Table, own: &str, found: &mut Findings) {
    for name in table.keys().filter(|name| name.ends_with("_topic")) {
        if table[name].as_str().is_some_and(|topic| topic.starts_with(own)) {
            let problem = format!("what begins with \"{own}\" is Sunward's own, expected a topic of the device");
            found.refuse(format!("{place}.{name}"), problem);
        }
    }
}

/// What the tasks before took for themselves, with their numbers.
#[derive(Default)]
struct Beside {
    ids: HashMap<TaskId, usize>,
    /// By topic and payload: a strip of several plugs may have one topic for all, and distinguishes them by the
    /// payload of the command.
    commands: HashMap<(String, String), usize>,
}

impl Beside {
    /// Notes what another task has already.
    fn add(&mut self, number: usize, task: &DeviceTask, found: &mut Findings) {
        if let Some(other) = self.ids.insert(task.id.clone(), number) {
            found.refuse(format!("task[{number}].id"), format!("\"{}\" is taken by task[{other}] already", task.id));
        }
        for payload in [&task.commands.on, &task.commands.off] {
            let command = (task.command_topic.clone(), payload.clone());
            if let Some(other) = self.commands.get(&command) {
                let problem = format!("what says {payload:?} there is taken by task[{other}] already");
                found.refuse(format!("task[{number}].command_topic"), problem);
                return;
            }
            self.commands.insert(command, number);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::setup_tests::check;

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
