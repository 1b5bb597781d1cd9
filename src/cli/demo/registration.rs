//! How each appliance of the simulated home is offered to the scheduler: as a home owner would.

use std::time::Duration;

use crate::client::{Criteria, Criterion, Daily, Priority, Registration};
use crate::simulate::Appliance;
use crate::units::Watts;

/// What `docs/tasks.md` recommends where an evening is the deadline.
const BY_EVENING: [&str; 2] =
    ["ratio >= 0.9 or (now.hour >= 13 and ratio >= 0.4)", "ratio >= 0.4 or (now.hour >= 13 and ratio >= 0.2)"];

/// Returns the registration of an appliance.
pub(super) fn registration(which: Appliance) -> Registration {
    let minutes = |minutes: u64| Some(Duration::from_secs(60 * minutes));
    let when = |start: &str, keep: &str| {
        let [start, keep] = [start, keep].map(|text| Some(Criterion::Expression(text.to_owned())));
        Some(Criteria { start, keep })
    };
    let mut task = Registration::new(Watts(match which {
        Appliance::Boiler | Appliance::Dishwasher => 2000.0,
        Appliance::Ev => 1380.0,
        Appliance::Pool => 1100.0,
        Appliance::Washer => 2050.0,
    }));
    task.keys = vec![which.name().to_owned()];
    match which {
        Appliance::Boiler => {
            task.name = Some("Hot water".into());
            task.priority = Some(Priority::High);
            // Nobody showers cold, sun or no sun: what a cloud takes now, the evening would buy.
            task.criteria = when("ratio >= 0.9 or state.temperature < 42", "ratio >= 0.4 or state.temperature < 46");
            (task.min_on, task.min_off) = (minutes(10), minutes(5));
        }
        Appliance::Ev => {
            task.name = Some("Car".into());
            task.priority = Some(Priority::Medium);
            task.max_power = Some(Watts(7360.0));
            task.auto_adjust = Some(true);
            task.min_on = minutes(10);
            task.criteria = when("ratio >= 1 or state.soc < 20", "ratio >= 0.4 or state.soc < 25");
        }
        Appliance::Pool => {
            task.name = Some("Pool pump".into());
            (task.min_on, task.min_off) = (minutes(30), minutes(5));
            task.criteria = when(BY_EVENING[0], BY_EVENING[1]);
            let [on_for, max] = [5, 7].map(|hours| Duration::from_secs(3600 * hours));
            task.daily = Some(Daily { on_for, by: "21:00".into(), max: Some(max) });
        }
        Appliance::Dishwasher | Appliance::Washer => {
            let (name, hour) = if which == Appliance::Washer { ("Laundry", 20) } else { ("Dishes", 22) };
            task.name = Some(name.into());
            task.priority = Some(Priority::Medium);
            task.interruptible = Some(false);
            // Clean by the next morning.
            task.criteria = when(&format!("{} or now.hour >= {hour}", BY_EVENING[0]), "true");
        }
    }
    task
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{self, by_importance};
    use crate::wire;

    #[test]
    fn the_ledger_gives_the_sun_first_to_what_the_scheduler_holds_important() {
        let mut offered = Appliance::ALL.map(|which| {
            let id = core::TaskId::new(which.name()).unwrap();
            let json = serde_json::to_vec(&registration(which)).unwrap();
            let registration = wire::registration(&id, &json, &core::Criteria::default(), &wire::Limits::default())
                .unwrap()
                .registration;
            (which, id, registration)
        });
        offered.sort_by(|(_, id, registration), (_, other, their)| by_importance((id, registration), (other, their)));
        assert_eq!(offered.map(|(which, ..)| which), Appliance::BY_IMPORTANCE);
    }
}
