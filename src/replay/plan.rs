//! `[[replay.task]]`: which circuits of a record are tasks, and what hangs behind them.
//!
//! Refuses what no task could be: an entry is a registration (SPEC section 5.1) and a model, both read strictly.

use std::time::Duration;

use jiff::civil::{Time, Weekday};
use serde_json::{Map, Value};

use crate::mqtt::payload;
use crate::scheduler::{Criteria, Registration, TaskId};
use crate::units::Watts;

/// What a task's circuit draws at most while nothing runs, unless said otherwise.
const STANDBY: Watts = Watts(10.0);

/// A task of a replay.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedTask {
    /// Its id.
    pub id: TaskId,
    /// What it would register.
    pub registration: Registration,
    /// What hangs behind it.
    pub model: Model,
}

/// What hangs behind a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// What is to be done in a period.
    pub need: Need,
    /// The local time at which a period ends and the next begins.
    pub by: Time,
    /// Whether the need is to be met by then, sun or no sun.
    pub due: bool,
    /// When the appliance is there; empty: always.
    pub available: Vec<Window>,
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
pub struct Window {
    /// Begin, local time.
    pub from: Time,
    /// End, local time; at or before `from`: on the next day.
    pub to: Time,
    /// The days on which it begins.
    pub days: Vec<Weekday>,
}

/// Why an entry is refused: `power: expected …`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct InvalidTask {
    /// The field, with dots into tables.
    pub field: String,
    /// What was expected, and what was found.
    pub problem: String,
}

fn invalid(field: &str, problem: impl Into<String>) -> InvalidTask {
    InvalidTask { field: field.into(), problem: problem.into() }
}

/// Reads one entry; `criteria` are those of tasks that bring none.
///
/// # Errors
/// Names the field and what was expected.
pub fn task(entry: &Map<String, Value>, criteria: &Criteria) -> Result<PlannedTask, InvalidTask> {
    let mut registration = entry.clone();
    let mut take = |field: &str| registration.remove(field).filter(|value| !value.is_null());
    let id = match take("id") {
        Some(Value::String(id)) => TaskId::new(&id).map_err(|problem| invalid("id", problem.to_string()))?,
        Some(other) => return Err(invalid("id", format!("expected text in quotes, found {other}"))),
        None => return Err(invalid("id", "missing, expected a name such as \"ev\"")),
    };
    let need = take("need").map_or(Ok(Need::Recorded), |value| need(&value))?;
    let by = take("by").map(|value| time("by", &value)).transpose()?;
    let standby = match take("standby") {
        None => STANDBY,
        Some(value) => Watts(value.as_f64().filter(|watts| (0.0..=1e6).contains(watts)).ok_or_else(|| {
            invalid("standby", format!("expected a number of watts, 0 or more, found {value}"))
        })?),
    };
    let available = take("available").map_or(Ok(Vec::new()), |value| windows(&value))?;
    registration.entry("keys").or_insert_with(|| Value::from(vec![id.as_str()]));
    let payload = Value::Object(registration).to_string();
    let registered = payload::registration(&id, payload.as_bytes(), criteria).map_err(|problem| {
        let field = problem.named().unwrap_or_default().to_owned();
        let problem = problem.to_string();
        let problem = problem.strip_prefix(&format!("{field}: ")).unwrap_or(&problem).to_owned();
        InvalidTask { field, problem }
    })?;
    let model = Model { need, due: by.is_some(), by: by.unwrap_or(Time::midnight()), available, standby };
    Ok(PlannedTask { id, registration: registered.registration, model })
}

fn need(value: &Value) -> Result<Need, InvalidTask> {
    const EXPECTED: &str = "expected \"recorded\", an energy such as \"8 kWh\" or \"500 Wh\", or a run time such as \"2h\"";
    let refused = || invalid("need", format!("{EXPECTED}, found {value}"));
    let text = value.as_str().ok_or_else(refused)?.trim();
    if text.eq_ignore_ascii_case("recorded") {
        return Ok(Need::Recorded);
    }
    let energy = |unit: &str| text.strip_suffix(unit).and_then(|number| number.trim().parse::<f64>().ok());
    let energy = energy("kWh").map(|kilo| kilo * 1000.0).or_else(|| energy("Wh"));
    let need = match energy {
        Some(energy) if (0.0..=1e8).contains(&energy) => Some(Need::Energy(energy)),
        Some(_) => None,
        None => humantime::parse_duration(text).ok().filter(|time| *time <= DAY).map(Need::Time),
    };
    need.ok_or_else(refused)
}

const DAY: Duration = Duration::from_secs(86_400);

fn time(field: &str, value: &Value) -> Result<Time, InvalidTask> {
    let time = value.as_str().map(str::trim).filter(|text| text.len() == 5);
    time.and_then(|text| text.parse().ok())
        .ok_or_else(|| invalid(field, format!("expected a local time such as \"06:30\", found {value}")))
}

fn windows(value: &Value) -> Result<Vec<Window>, InvalidTask> {
    const EXPECTED: &str = "expected a list such as [{ from = \"17:00\", to = \"08:00\", days = [\"mon\", \"tue\"] }]";
    let refused = || invalid("available", format!("{EXPECTED}, found {value}"));
    let list = value.as_array().filter(|list| list.len() <= 100).ok_or_else(refused)?;
    list.iter().map(|item| window(item.as_object().ok_or_else(refused)?)).collect()
}

fn window(item: &Map<String, Value>) -> Result<Window, InvalidTask> {
    const DAYS: [(&str, Weekday); 7] = [
        ("mon", Weekday::Monday),
        ("tue", Weekday::Tuesday),
        ("wed", Weekday::Wednesday),
        ("thu", Weekday::Thursday),
        ("fri", Weekday::Friday),
        ("sat", Weekday::Saturday),
        ("sun", Weekday::Sunday),
    ];
    if let Some(unknown) = item.keys().find(|key| !["from", "to", "days"].contains(&key.as_str())) {
        return Err(invalid(&format!("available.{unknown}"), "unknown key, expected from, to or days"));
    }
    let edge = |field: &str| {
        let name = format!("available.{field}");
        item.get(field).map_or(Ok(Time::midnight()), |value| time(&name, value))
    };
    let day = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        let known = DAYS.iter().find(|(name, _)| text.eq_ignore_ascii_case(name));
        let problem = || invalid("available.days", format!("expected mon, tue, wed, thu, fri, sat, sun, found {value}"));
        known.map(|(_, day)| *day).ok_or_else(problem)
    };
    let days = match item.get("days") {
        None => DAYS.iter().map(|(_, day)| *day).collect(),
        Some(Value::Array(days)) => days.iter().map(day).collect::<Result<_, _>>()?,
        Some(other) => return Err(invalid("available.days", format!("expected a list such as [\"sat\", \"sun\"], found {other}"))),
    };
    Ok(Window { from: edge("from")?, to: edge("to")?, days })
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn read(json: &str) -> Result<PlannedTask, InvalidTask> {
        task(serde_json::from_str::<Value>(json).unwrap().as_object().unwrap(), &Criteria::default())
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
    fn refusals_name_the_field() {
        assert_snapshot!(read(r#"{"power": 1}"#).unwrap_err(), @r#"id: missing, expected a name such as "ev""#);
        assert_snapshot!(refused("pwer", "1"), @"pwer: unknown field, did you mean `power`?");
        assert_snapshot!(refused("max_power", "1000"), @"max_power: expected at least `power` (1400), found 1000");
        assert_snapshot!(refused("need", "\"8\""), @r#"need: expected "recorded", an energy such as "8 kWh" or "500 Wh", or a run time such as "2h", found "8""#);
        assert_snapshot!(refused("by", "\"25:00\""), @r#"by: expected a local time such as "06:30", found "25:00""#);
        assert_snapshot!(refused("standby", "-1"), @"standby: expected a number of watts, 0 or more, found -1");
        assert_snapshot!(refused("available", "\"always\""), @r#"available: expected a list such as [{ from = "17:00", to = "08:00", days = ["mon", "tue"] }], found "always""#);
        assert_snapshot!(refused("available", r#"[{"til": "08:00"}]"#), @"available.til: unknown key, expected from, to or days");
        assert_snapshot!(refused("available", r#"[{"days": ["monday"]}]"#), @r#"available.days: expected mon, tue, wed, thu, fri, sat, sun, found "monday""#);
    }
}
