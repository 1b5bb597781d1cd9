//! The residents of the home: when they shower, cook, drive and load machines, day by day.
//!
//! They don't look at power. What they do to appliances is in [`ResidentAction`].

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::appliance::Appliance;
use super::random::SeededRandom;
use crate::units::{KilowattHours, Watts};

/// What a resident does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum ResidentAction {
    /// Takes so many litres of warm water.
    Draw(f64),
    /// Drives away.
    Leave,
    /// Comes back from a drive that took so much.
    ComeBack(KilowattHours),
    /// Fills a machine.
    Load(Appliance),
    /// Uses something at home, for a while.
    Use(Watts, SignedDuration),
    /// Goes to bed.
    Sleep,
}

/// The residents, with the habits of one seed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Residents(SeededRandom);

impl Residents {
    pub(super) fn new(seed: u64) -> Self {
        Self(SeededRandom::new(seed).stream("people"))
    }

    /// Returns what they do on a day, in order of time.
    pub(super) fn day(self, date: Date, zone: &TimeZone) -> Vec<(Timestamp, ResidentAction)> {
        let days = i64::from((date - jiff::civil::date(0, 1, 1)).get_days());
        let mut plan = DayPlan { random: self.0, day: days, actions: Vec::new() };
        plan.water();
        plan.household();
        plan.machines();
        plan.car(date.weekday().to_monday_zero_offset() >= 5);
        let Ok(midnight) = date.to_zoned_datetime(zone.clone()) else { return Vec::new() };
        let mut actions: Vec<(Timestamp, ResidentAction)> = plan
            .actions
            .into_iter()
            .map(|(hour, action)| (midnight.timestamp() + SignedDuration::from_secs_f64(hour * 3600.0), action))
            .collect();
        actions.push((midnight.timestamp(), ResidentAction::Sleep));
        actions.sort_by_key(|(time, _)| *time);
        actions
    }
}

/// A day that is being planned: local hours, and what happens.
struct DayPlan {
    random: SeededRandom,
    day: i64,
    actions: Vec<(f64, ResidentAction)>,
}

impl DayPlan {
    fn water(&mut self) {
        for name in ["shower", "second shower"] {
            let (hour, litres) = (self.hour(name, 6.4, 7.8), self.between("litres", name, 35.0, 60.0));
            self.actions.push((hour, ResidentAction::Draw(litres)));
        }
        for name in ["coffee cups", "hands", "dishes", "more hands", "teeth"] {
            let (hour, litres) = (self.hour(name, 8.0, 22.5), self.between("litres", name, 3.0, 10.0));
            self.actions.push((hour, ResidentAction::Draw(litres)));
        }
        if self.is("bath", 0.35) {
            let hour = self.hour("bath", 18.5, 21.0);
            self.actions.push((hour, ResidentAction::Draw(110.0)));
        }
    }

    fn household(&mut self) {
        self.uses("kettle", 1.0, (6.7, 7.6), 2000.0, 4.0);
        self.uses("toaster", 0.8, (6.9, 7.9), 900.0, 5.0);
        self.uses("desk", 0.7, (8.2, 9.0), 110.0, 480.0);
        self.uses("vacuum cleaner", 0.4, (9.5, 17.0), 850.0, 25.0);
        self.uses("lunch", 0.75, (11.9, 12.8), 1600.0, 22.0);
        self.uses("tea", 0.8, (15.2, 16.8), 2000.0, 4.0);
        self.uses("oven", 0.7, (17.8, 18.8), 2300.0, 14.0);
        self.uses("oven, warm", 0.7, (18.2, 19.0), 900.0, 30.0);
        self.uses("hob", 0.9, (18.0, 19.0), 1500.0, 25.0);
        self.uses("light", 1.0, (19.5, 20.8), 140.0, 150.0);
        self.uses("screen", 0.9, (19.8, 20.6), 130.0, 140.0);
    }

    fn machines(&mut self) {
        for (name, from, to, how_often) in [("breakfast", 8.0, 8.9, 0.85), ("dinner", 19.3, 20.3, 0.7)] {
            if self.is(name, how_often) {
                let hour = self.hour(name, from, to);
                self.actions.push((hour, ResidentAction::Load(Appliance::Dishwasher)));
            }
        }
        if self.is("laundry", 0.8) {
            let hour = self.hour("laundry", 8.5, 11.0);
            self.actions.push((hour, ResidentAction::Load(Appliance::Washer)));
        }
    }

    fn car(&mut self, weekend: bool) {
        if weekend {
            self.drive("trip", 0.8, (9.6, 10.6), (1.2, 2.4), (6.0, 14.0));
        } else {
            self.drive("school", 1.0, (7.5, 8.0), (0.8, 1.8), (3.0, 7.0));
            self.drive("sports", 0.7, (16.3, 17.3), (1.0, 2.2), (3.0, 9.0));
        }
    }

    fn drive(&mut self, name: &str, how_often: f64, leave: (f64, f64), hours: (f64, f64), energy: (f64, f64)) {
        if self.is(name, how_often) {
            let leave = self.hour(name, leave.0, leave.1);
            let back = leave + self.between("hours", name, hours.0, hours.1);
            let energy = KilowattHours(self.between("energy", name, energy.0, energy.1));
            self.actions.extend([(leave, ResidentAction::Leave), (back, ResidentAction::ComeBack(energy))]);
        }
    }

    fn uses(&mut self, name: &str, how_often: f64, (from, to): (f64, f64), watts: f64, minutes: f64) {
        if self.is(name, how_often) {
            let hour = self.hour(name, from, to);
            let minutes = minutes * self.between("minutes", name, 0.75, 1.25);
            let power = Watts(watts * self.between("watts", name, 0.9, 1.1));
            self.actions.push((hour, ResidentAction::Use(power, SignedDuration::from_secs_f64(minutes * 60.0))));
        }
    }

    fn hour(&self, name: &str, from: f64, to: f64) -> f64 {
        self.between("hour", name, from, to)
    }

    fn between(&self, matter: &str, name: &str, from: f64, to: f64) -> f64 {
        self.random.stream(matter).stream(name).between(self.day, from..to)
    }

    fn is(&self, name: &str, how_often: f64) -> bool {
        self.random.stream("whether").stream(name).fraction(self.day) < how_often
    }
}
