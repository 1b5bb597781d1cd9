//! `[[replay.task]]`: which circuits of a record are tasks, and models of their appliances.
//!
//! An entry is a registration, with the fields of `docs/mqtt.md`, and a model of the appliance. Both are read strictly.

use std::time::Duration;

use jiff::civil::{Time, Weekday};
use serde_json::Value;

use crate::core::{Criteria, Registration, TaskId};
use crate::devices;
use crate::units::Watts;
use crate::wire::{CommandPayloads, Fields, PayloadError, REGISTRATION_FIELDS, Table, found, registration_of};

/// More windows than any week has.
const MOST_WINDOWS: usize = 100;

/// What a task's circuit draws at most while nothing runs, unless said otherwise.
const STANDBY: Watts = Watts(10.0);

/// A task of a replay.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedTask {
    /// Its id.
    pub id: TaskId,
    /// What it would register.
    pub registration: Registration,
    /// The model of its appliance.
    pub model: Model,
}

/// The model of the appliance of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// What is to be done in a period.
    pub need: Need,
    /// The local time at which a period ends and the next begins.
    pub by: Time,
    /// Whether the need is to be met by then, sun or no sun.
    pub due: bool,
    /// When the appliance is there; empty: always.
    pub available: Vec<TimeWindow>,
    /// What its circuits draw at most while nothing runs: it stays in the record.
    pub standby: Watts,
}

/// What is to be done in a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Need {
    /// What its circuits drew in it when it was recorded.
    Recorded,
    /// Watt-hours.
    Energy(f64),
    /// Run time at `power`.
    Time(Duration),
}

/// A time of day, on some days.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeWindow {
    /// Begin, local time.
    pub from: Time,
    /// End, local time; at or before `from`: on the next day.
    pub to: Time,
    /// The days on which it begins.
    pub days: Vec<Weekday>,
}

/// Columns of a record that are no circuits.
const GRID: [&str; 2] = ["net", "solar"];

/// The keys of a model.
pub(crate) const FIELDS: [&str; 5] = ["id", "need", "by", "available", "standby"];

impl PlannedTask {
    /// Reads one `[[replay.task]]`. What it leaves out of a registration comes from the `[[task]]` with its id, if there is
    /// one; `criteria` are those of tasks that bring none.
    ///
    /// # Errors
    /// Names the field and what was expected.
    pub fn read(table: &Table, configured: &[Table], criteria: &Criteria) -> Result<Self, PayloadError> {
        let fields = Fields::new(table);
        let known: Vec<&str> = FIELDS.iter().chain(&REGISTRATION_FIELDS).copied().collect();
        fields.only(&known)?;
        let id = fields.text("id", 64)?.ok_or_else(|| fields.error("id", "missing, expected a name such as \"ev\""))?;
        let id = TaskId::new(id).map_err(|problem| fields.error("id", problem.to_string()))?;
        let mut model = Model::read(&fields)?;
        let mut merged = table.clone();
        let same = configured.iter().find(|task| task.get("id").and_then(Value::as_str) == Some(id.as_str()));
        for (field, value) in same.into_iter().flatten() {
            if REGISTRATION_FIELDS.contains(&field.as_str()) && !merged.contains_key(field) {
                merged.insert(field.clone(), value.clone());
            }
        }
        let rest = if same.is_some() { devices::MIN_TIME } else { Duration::ZERO };
        let default = Registration {
            criteria: criteria.clone(),
            keys: vec![id.to_string()],
            min_on: rest,
            min_off: rest,
            ..Registration::new(&id, Watts::ZERO)
        };
        if let Some(key) = GRID.into_iter().find(|key| *key == id.as_str() && !merged.contains_key("keys")) {
            return Err(fields.error("id", format!("`{key}` is no circuit of a task, expected another id, or `keys`")));
        }
        let registration = registration_of(&Fields::new(&merged), default, CommandPayloads::default())?.registration;
        if model.need == Need::Recorded && registration.keys.is_empty() {
            return Err(fields.error("keys", "is empty, and its need is what they drew: expected one, or `need`"));
        }
        // What it owes each day has a deadline already: a need of its own from midnight on would be met before it, at night.
        if let Some(daily) = registration.daily.as_ref().filter(|daily| !model.due && !daily.on_for.is_zero()) {
            (model.by, model.due) = (daily.by, true);
        }
        // Nobody falls silent in a replay: a state is told when it changes.
        Ok(Self { id, registration: Registration { expire_after: None, ..registration }, model })
    }
}

impl Model {
    fn read(fields: &Fields<'_>) -> Result<Self, PayloadError> {
        const NEED: &str = "\"recorded\", an energy such as \"8 kWh\" or \"500 Wh\", or a run time such as \"2h\"";
        let by = fields.read("by", TIME, time)?;
        let standby = fields.read("standby", "a number of watts, 0 or more", |value| {
            value.as_f64().filter(|watts| (0.0..=1e6).contains(watts)).map(Watts)
        })?;
        Ok(Self {
            need: fields.read("need", NEED, need)?.unwrap_or(Need::Recorded),
            due: by.is_some(),
            by: by.unwrap_or(Time::midnight()),
            available: windows(fields)?,
            standby: standby.unwrap_or(STANDBY),
        })
    }
}

const TIME: &str = "a local time such as \"06:30\"";

const WINDOWS: &str = "a list such as [{ from = \"17:00\", to = \"08:00\", days = [\"mon\", \"tue\"] }]";

const WINDOW: &str = "a table such as { from = \"17:00\", to = \"08:00\" }";

const DAY: Duration = Duration::from_secs(86_400);

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

fn need(value: &Value) -> Option<Need> {
    let text = value.as_str()?.trim();
    if text.eq_ignore_ascii_case("recorded") {
        return Some(Need::Recorded);
    }
    let energy = |unit: &str| text.strip_suffix(unit).and_then(|number| number.trim().parse::<f64>().ok());
    match energy("kWh").map(|kilo| kilo * 1000.0).or_else(|| energy("Wh")) {
        Some(energy) => (0.0..=1e8).contains(&energy).then_some(Need::Energy(energy)),
        None => humantime::parse_duration(text).ok().filter(|time| *time <= DAY).map(Need::Time),
    }
}

fn time(value: &Value) -> Option<Time> {
    value.as_str().map(str::trim).filter(|text| text.len() == 5)?.parse().ok()
}

fn windows(fields: &Fields<'_>) -> Result<Vec<TimeWindow>, PayloadError> {
    let list = fields.read("available", WINDOWS, |value| value.as_array().filter(|list| list.len() <= MOST_WINDOWS))?;
    let window = |(at, item): (usize, &Value)| {
        let name = format!("available[{at}]");
        let expected = || fields.error(&name, format!("expected {WINDOW}, found {}", found(item)));
        window(item.as_object().ok_or_else(expected)?).map_err(|problem| problem.within(&name))
    };
    list.into_iter().flatten().enumerate().map(window).collect()
}

fn window(item: &Table) -> Result<TimeWindow, PayloadError> {
    let fields = Fields::new(item);
    fields.only(&["from", "to", "days"])?;
    let edge = |field| Ok(fields.read(field, TIME, time)?.unwrap_or(Time::midnight()));
    Ok(TimeWindow { from: edge("from")?, to: edge("to")?, days: days(&fields)? })
}

fn days(fields: &Fields<'_>) -> Result<Vec<Weekday>, PayloadError> {
    const EXPECTED: &str = "a list such as [\"mon\", \"tue\"]";
    let named = |name: &str| DAYS.iter().find(|(day, _)| name.eq_ignore_ascii_case(day)).map(|(_, day)| *day);
    let Some(list) = fields.read("days", EXPECTED, Value::as_array)? else {
        return Ok(DAYS.map(|(_, day)| day).into());
    };
    if list.is_empty() {
        return Err(fields.error(
            "days",
            format!("is empty, so that it is never there: expected {EXPECTED}, or nothing for every day"),
        ));
    }
    list.iter()
        .map(|item| {
            let wrong = || {
                let names = DAYS.map(|(name, _)| name).join(", ");
                fields.error("days", format!("expected some of {names}, found {}", found(item)))
            };
            item.as_str().and_then(named).ok_or_else(wrong)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn read(json: &str) -> Result<PlannedTask, PayloadError> {
        let configured =
            r#"{"id": "pool", "power": 900, "priority": "high", "command_topic": "pool/set", "expire_after": "15m"}"#;
        let [table, configured] = [json, configured].map(|json| serde_json::from_str::<Table>(json).unwrap());
        PlannedTask::read(&table, &[configured], &Criteria::default())
    }

    fn refused(field: &str, value: &str) -> String {
        read(&format!("{{\"id\": \"ev\", \"power\": 1400, \"{field}\": {value}}}")).unwrap_err().to_string()
    }

    #[test]
    fn an_id_and_a_power_are_enough() {
        let planned = read(r#"{"id": "ev", "power": 1400}"#).unwrap();
        assert_eq!(planned.registration.keys, ["ev"]);
        let model =
            Model { need: Need::Recorded, by: Time::midnight(), due: false, available: Vec::new(), standby: STANDBY };
        assert_eq!(planned.model, model);
    }

    #[test]
    fn a_configured_task_needs_its_model_only() {
        let planned = read(r#"{"id": "pool", "need": "2h", "priority": "low"}"#).unwrap().registration;
        assert_eq!((planned.power, planned.priority), (Watts(900.0), crate::core::Priority::Low));
        assert_eq!((planned.min_on, planned.expire_after), (Duration::from_secs(300), None));
    }

    #[test]
    fn a_deadline_that_it_has_already_is_that_of_its_need() {
        let by = |fields: &str| {
            let planned = read(&format!("{{\"id\": \"ev\", \"power\": 1400, {fields}}}")).unwrap();
            (planned.model.due, planned.model.by.hour())
        };
        assert_eq!(by(r#""daily": {"on_for": "2h", "by": "06:00"}"#), (true, 6));
        assert_eq!(by(r#""daily": {"on_for": "2h", "by": "06:00"}, "by": "20:00""#), (true, 20));
        assert_eq!(by(r#""daily": {"max": "2h"}"#), (false, 0));
    }

    #[test]
    fn needs_are_energies_or_times() {
        for (text, expect) in [
            ("\"recorded\"", Need::Recorded),
            ("\"8 kWh\"", Need::Energy(8000.0)),
            ("\"500Wh\"", Need::Energy(500.0)),
            ("\"2h 30m\"", Need::Time(Duration::from_secs(9000))),
        ] {
            let planned = read(&format!("{{\"id\": \"ev\", \"power\": 1, \"need\": {text}}}")).unwrap();
            assert_eq!(planned.model.need, expect, "{text}");
        }
    }

    #[test]
    fn a_window_is_a_time_on_some_days() {
        let planned = read(
            r#"{"id": "ev", "power": 1, "available": [{"from": "17:00", "to": "08:00", "days": ["Mon"]}, {"days": ["sun"]}]}"#,
        );
        let window = |from: i8, to: i8, day| TimeWindow {
            from: Time::new(from, 0, 0, 0).unwrap(),
            to: Time::new(to, 0, 0, 0).unwrap(),
            days: vec![day],
        };
        let expect = vec![window(17, 8, Weekday::Monday), window(0, 0, Weekday::Sunday)];
        assert_eq!(planned.unwrap().model.available, expect);
    }

    #[test]
    fn refusals_name_the_field() {
        assert_snapshot!(read(r#"{"power": 1}"#).unwrap_err(), @r#"id: missing, expected a name such as "ev""#);
        assert_snapshot!(read(r#"{"id": "net", "power": 1}"#).unwrap_err(), @"id: `net` is no circuit of a task, expected another id, or `keys`");
        assert_snapshot!(refused("keys", "[]"), @"keys: is empty, and its need is what they drew: expected one, or `need`");
        assert_snapshot!(refused("pwer", "1"), @"pwer: unknown field, did you mean `power`?");
        assert_snapshot!(refused("max_power", "1000"), @"max_power: expected at least `power` (1400), found 1000");
        assert_snapshot!(refused("need", "\"8\""), @r#"need: expected "recorded", an energy such as "8 kWh" or "500 Wh", or a run time such as "2h", found "8""#);
        assert_snapshot!(refused("by", "\"25:00\""), @r#"by: expected a local time such as "06:30", found "25:00""#);
        assert_snapshot!(refused("standby", "-1"), @"standby: expected a number of watts, 0 or more, found -1");
        assert_snapshot!(refused("available", "\"always\""), @r#"available: expected a list such as [{ from = "17:00", to = "08:00", days = ["mon", "tue"] }], found "always""#);
        assert_snapshot!(refused("available", "[[]]"), @r#"available[0]: expected a table such as { from = "17:00", to = "08:00" }, found a list"#);
        assert_snapshot!(refused("available", r#"[{}, {"til": "08:00"}]"#), @"available[1].til: unknown field, expected from, to, days");
        assert_snapshot!(refused("available", r#"[{"from": "8"}]"#), @r#"available[0].from: expected a local time such as "06:30", found "8""#);
        assert_snapshot!(refused("available", r#"[{"days": "mon"}]"#), @r#"available[0].days: expected a list such as ["mon", "tue"], found "mon""#);
        assert_snapshot!(refused("available", r#"[{"days": ["monday"]}]"#), @r#"available[0].days: expected some of mon, tue, wed, thu, fri, sat, sun, found "monday""#);
        assert_snapshot!(refused("available", r#"[{"days": []}]"#), @r#"available[0].days: is empty, so that it is never there: expected a list such as ["mon", "tue"], or nothing for every day"#);
    }
}
