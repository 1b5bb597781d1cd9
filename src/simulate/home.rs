//! The simulated home: brings sun, residents and appliances together, in steps of ten seconds.
//!
//! It doesn't decide when appliances run: they are switched from outside.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::appliance::{Appliance, ApplianceStatus, Physics};
use super::base_load::BaseLoad;
use super::car::Car;
use super::ledger::{Flows, HomeLedger};
use super::machine::Machine;
use super::pump::Pump;
use super::random::SeededRandom;
use super::residents::{ResidentAction, Residents};
use super::sky::{Clouds, Sky};
use super::tank::Tank;
use crate::sun::{Site, Sun};
use crate::units::Watts;

/// The longest step.
const STEP: SignedDuration = SignedDuration::from_secs(10);

/// A home with a roof, residents and appliances.
#[derive(Debug, Clone)]
pub struct SimulatedHome {
    site: Site,
    sky: Sky,
    residents: Residents,
    zone: TimeZone,
    now: Timestamp,
    /// What the residents will do, up to the end of the day `planned`.
    plan: VecDeque<(Timestamp, ResidentAction)>,
    planned: Date,
    base: BaseLoad,
    boiler: Tank,
    car: Car,
    pool: Pump,
    dishwasher: Machine,
    washer: Machine,
    ledger: HomeLedger,
}

impl SimulatedHome {
    /// The home of this seed at this time.
    #[must_use]
    pub fn new(seed: u64, site: Site, zone: TimeZone, begin: Timestamp) -> Self {
        let random = SeededRandom::new(seed).stream("begin");
        let residents = Residents::new(seed);
        let today = begin.to_zoned_datetime(zone.clone()).date();
        let plan = residents.day(today, &zone).into_iter().filter(|(time, _)| *time > begin).collect();
        Self {
            site,
            sky: Sky::new(seed),
            residents,
            zone,
            now: begin,
            plan,
            planned: today,
            base: BaseLoad::default(),
            boiler: Tank::new(random.between(0, 49.0..54.0)),
            car: Car::new(random.between(1, 0.35..0.55)),
            pool: Pump::default(),
            dishwasher: Machine::dishwasher(),
            washer: Machine::washer(),
            ledger: HomeLedger::default(),
        }
    }

    /// Simulates up to a time. Returns the mean flows since the last call. A time in the past changes nothing.
    pub fn advance(&mut self, to: Timestamp) -> Flows {
        let begin = self.now;
        let before = self.ledger.clone();
        while self.now < to {
            let next = to.min(self.now + STEP);
            self.plan_days(next);
            let next = self.plan.front().map_or(next, |(time, _)| next.min(*time));
            self.step(next);
            while let Some((_, action)) = self.plan.front().copied().filter(|(time, _)| *time <= next) {
                self.plan.pop_front();
                self.act(action);
            }
        }
        let time = span(begin, self.now);
        Flows {
            solar: (self.ledger.produced - before.produced).over(time),
            base: (self.ledger.base - before.base).over(time),
            appliances: Appliance::ALL.map(|which| {
                let at = which.index();
                (self.ledger.uses[at].energy - before.uses[at].energy).over(time)
            }),
        }
    }

    /// Switches an appliance, if it can be switched.
    pub fn switch(&mut self, which: Appliance, on: bool) {
        self.physics_mut(which).switch(on);
    }

    /// Sets the power that an adjustable appliance may use; others ignore it.
    pub fn limit(&mut self, which: Appliance, most: Watts) {
        self.physics_mut(which).limit(most);
    }

    /// Returns the status of an appliance.
    #[must_use]
    pub fn status(&self, which: Appliance) -> ApplianceStatus {
        self.physics(which).status()
    }

    /// Returns the clouds over it.
    #[must_use]
    pub fn clouds(&self) -> Clouds {
        self.sky.clouds(self.now.to_zoned_datetime(self.zone.clone()).datetime())
    }

    /// Returns where the sun stands.
    #[must_use]
    pub fn sun(&self) -> Sun {
        self.site.sun(self.now)
    }

    /// Returns the time up to which it was simulated.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns the sums since the beginning.
    #[must_use]
    pub fn ledger(&self) -> &HomeLedger {
        &self.ledger
    }

    /// Simulates one step, in which no resident does anything.
    fn step(&mut self, to: Timestamp) {
        let time = span(self.now, to);
        // The middle stands for all of it.
        let middle = self.now + SignedDuration::try_from(time / 2).unwrap_or_default();
        let sun = self.site.sun(middle);
        let light =
            self.sky.clouds(middle.to_zoned_datetime(self.zone.clone()).datetime()).filter(sun.clear_sky(), sun);
        let running = Appliance::ALL.map(|which| self.status(which).running);
        let flows = Flows {
            solar: self.site.production(sun, light),
            base: self.base.load(self.now),
            appliances: Appliance::ALL.map(|which| self.physics_mut(which).advance(time).over(time)),
        };
        self.ledger.add(&flows, running, time);
        self.now = to;
    }

    /// Plans every day that begins until this time.
    fn plan_days(&mut self, until: Timestamp) {
        while self.planned < until.to_zoned_datetime(self.zone.clone()).date() {
            let Ok(next) = self.planned.tomorrow() else { return };
            self.planned = next;
            self.plan.extend(self.residents.day(next, &self.zone));
        }
    }

    fn act(&mut self, action: ResidentAction) {
        match action {
            ResidentAction::Draw(litres) => self.boiler.draw(litres),
            ResidentAction::Leave => self.car.leave(),
            ResidentAction::ComeBack(driven) => self.car.come_back(driven),
            ResidentAction::Load(Appliance::Dishwasher) => self.dishwasher.load(),
            ResidentAction::Load(_) => self.washer.load(),
            ResidentAction::Use(power, time) => self.base.switch_on(power, self.now + time),
            ResidentAction::Sleep => self.pool.new_day(),
        }
    }

    fn physics(&self, which: Appliance) -> &dyn Physics {
        match which {
            Appliance::Boiler => &self.boiler,
            Appliance::Ev => &self.car,
            Appliance::Pool => &self.pool,
            Appliance::Dishwasher => &self.dishwasher,
            Appliance::Washer => &self.washer,
        }
    }

    fn physics_mut(&mut self, which: Appliance) -> &mut dyn Physics {
        match which {
            Appliance::Boiler => &mut self.boiler,
            Appliance::Ev => &mut self.car,
            Appliance::Pool => &mut self.pool,
            Appliance::Dishwasher => &mut self.dishwasher,
            Appliance::Washer => &mut self.washer,
        }
    }
}

fn span(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use proptest::prelude::*;

    use super::*;
    use crate::sun::Panels;
    use crate::units::KilowattHours;

    fn home(seed: u64) -> SimulatedHome {
        let site = Site {
            latitude: 52.5,
            longitude: 13.4,
            panels: vec![Panels { azimuth: 180.0, tilt: 35.0, peak_power: Watts(9000.0) }],
        };
        SimulatedHome::new(seed, site, TimeZone::UTC, "2026-06-21T03:00:00Z".parse().unwrap())
    }

    /// Something done to the home from outside.
    #[derive(Debug, Clone)]
    enum Intervention {
        Switch(usize, bool),
        Limit(f64),
        Wait(i64),
    }

    fn interventions() -> impl Strategy<Value = Vec<Intervention>> {
        let intervention = prop_oneof![
            (0..5_usize, any::<bool>()).prop_map(|(which, on)| Intervention::Switch(which, on)),
            (0.0..12_000.0).prop_map(Intervention::Limit),
            (1..3_600_i64).prop_map(Intervention::Wait),
        ];
        proptest::collection::vec(intervention, 1..120)
    }

    fn live(home: &mut SimulatedHome, interventions: &[Intervention]) -> Vec<Flows> {
        let mut flows = Vec::new();
        for intervention in interventions {
            match intervention {
                Intervention::Switch(which, on) => home.switch(Appliance::ALL[*which], *on),
                Intervention::Limit(most) => home.limit(Appliance::Ev, Watts(*most)),
                Intervention::Wait(seconds) => flows.push(home.advance(home.now() + seconds.seconds())),
            }
        }
        flows
    }

    fn same(left: KilowattHours, right: KilowattHours) -> Result<(), TestCaseError> {
        prop_assert!((left - right).0.abs() < 1e-6, "{left:?} is not {right:?}");
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn energy_is_neither_made_nor_lost(seed in 0..1000_u64, interventions in interventions()) {
            let mut home = home(seed);
            let (heat, charge) = (home.boiler.heat(), home.car.charge());
            live(&mut home, &interventions);
            let ledger = home.ledger();
            same(ledger.produced + ledger.imported, ledger.used() + ledger.exported)?;
            let used = |which: Appliance| ledger.uses[which.index()];
            let tank = &home.boiler;
            same(used(Appliance::Boiler).energy, tank.heated)?;
            same(tank.heat() - heat, tank.heated - tank.drawn - tank.lost)?;
            let car = &home.car;
            same(used(Appliance::Ev).energy, car.taken)?;
            same(car.charge() - charge, car.taken + car.elsewhere - car.lost() - car.driven)?;
            for which in Appliance::ALL {
                let used = used(which);
                prop_assert!(used.from_sun.0 <= used.energy.0 + 1e-9 && used.from_sun.0 >= 0.0);
            }
            let tasks_on_sun: KilowattHours = ledger.uses.iter().map(|used| used.from_sun).sum();
            prop_assert!(tasks_on_sun.0 <= (ledger.produced - ledger.exported).0 + 1e-9);
        }

        #[test]
        fn what_is_shown_is_what_was_counted(seed in 0..1000_u64, interventions in interventions()) {
            let mut home = home(seed);
            let begin = home.now();
            let (mut net, mut at) = (KilowattHours::ZERO, begin);
            for intervention in &interventions {
                if let [flows] = live(&mut home, std::slice::from_ref(intervention))[..] {
                    net += flows.net() * span(at, home.now());
                    at = home.now();
                }
            }
            same(net, home.ledger().imported - home.ledger().exported)?;
        }

        #[test]
        fn the_same_seed_gives_the_same_day(seed in any::<u64>(), interventions in interventions()) {
            let (mut one, mut other) = (home(seed), home(seed));
            prop_assert_eq!(live(&mut one, &interventions), live(&mut other, &interventions));
            prop_assert_eq!(one.ledger(), other.ledger());
        }
    }

    #[test]
    fn it_does_not_matter_how_often_somebody_looks() {
        let end = "2026-06-22T03:00:00Z".parse().unwrap();
        let (mut seldom, mut often) = (home(3), home(3));
        seldom.advance(end);
        while often.now() < end {
            often.advance(often.now() + 7.seconds());
        }
        let (seldom, often) = (seldom.ledger(), often.ledger());
        assert!((seldom.produced.0 - often.produced.0).abs() < 0.001 * seldom.produced.0);
        assert!((seldom.base.0 - often.base.0).abs() < 0.01 * seldom.base.0);
    }

    #[test]
    fn another_seed_gives_another_day() {
        let day = |seed| {
            let mut home = home(seed);
            home.advance(home.now() + 24.hours());
            home.ledger().produced
        };
        let days: Vec<KilowattHours> = (0..10).map(day).collect();
        let (least, most) = days.iter().fold((f64::MAX, 0.0_f64), |(a, b), day| (a.min(day.0), b.max(day.0)));
        assert!(least < 0.5 * most, "there are grey days and clear ones: {days:?}");
    }

    #[test]
    fn a_home_uses_what_homes_use() {
        let mut home = home(5);
        let (mut most, mut least) = (Watts::ZERO, Watts(1e9));
        for _ in 0..30 * 24 * 60 {
            let flows = home.advance(home.now() + 1.minutes());
            (most, least) = (most.max(flows.base), least.min(flows.base));
        }
        let daily = home.ledger().base.0 / 30.0;
        assert!((5.0..10.0).contains(&daily), "{daily} kWh a day");
        assert!(least.0 < 130.0 && most.0 > 3_000.0, "{least} to {most}: kettles and ovens stand out");
    }
}
