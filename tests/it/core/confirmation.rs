//! A start is confirmed by `confirm_records` records of one source, never by fewer.

use std::time::Duration;

use jiff::civil::Time;
use sunward::core::{Daily, Mode, Settings, Source, UserCommand};

use super::{Appliance, Home, plain};

const SUN: &[(&str, f64)] = &[("net", -1500.0)];

fn boiler() -> Appliance {
    plain("boiler", 1000.0)
}

/// What begins anew the count of records.
#[derive(Debug, Clone, Copy)]
enum Cause {
    /// A fresh start.
    Start,
    /// A restart: guards and counts are restored, records are not.
    Restart,
    /// No record for longer than `max_record_gap`.
    Gap,
    /// A gap that a pause hides: appliances are left alone in it.
    GapInAPause,
    /// The fallback stands in for a silent meter.
    ToFallback,
    /// The meter is back.
    BackToMeter,
}

const CAUSES: [Cause; 6] =
    [Cause::Start, Cause::Restart, Cause::Gap, Cause::GapInAPause, Cause::ToFallback, Cause::BackToMeter];

/// A home in the sun, with what `appliance` is; right after `cause`. And whose records come from now on.
fn after(cause: Cause, appliance: Appliance, confirm_records: usize) -> (Home, Source) {
    let settings = Settings { confirm_records, ..Settings::default() };
    let mut home = Home::with(settings, vec![appliance]);
    // Whatever came before, nothing could start on it.
    let cannot_run = |home: &mut Home, source: Source, times: usize| {
        home.says("boiler", |state| state.runnable = false);
        for _ in 0..times {
            home.wait(60);
            home.power(source, SUN).unwrap();
            home.cycle();
        }
        home.says("boiler", |state| state.runnable = true);
    };
    let mut source = Source::Meter;
    match cause {
        Cause::Start => {}
        Cause::Restart => {
            let id = home.appliances[0].id.clone();
            let guards = Some(sunward::core::Guards::default());
            home.restore(&id, sunward::core::TaskSnapshot { guards, ..Default::default() });
            home.scheduler.begin(home.now);
        }
        Cause::Gap => {
            cannot_run(&mut home, Source::Meter, 12);
            home.wait(181);
        }
        Cause::GapInAPause => {
            cannot_run(&mut home, Source::Meter, 12);
            home.scheduler.handle(sunward::core::Event::Command(UserCommand::Pause), home.now).unwrap();
            home.wait(181);
            home.scheduler.handle(sunward::core::Event::Command(UserCommand::Resume), home.now).unwrap();
        }
        Cause::ToFallback => {
            cannot_run(&mut home, Source::Meter, 12);
            // The fallback speaks before data is missing: the window is not cleared.
            home.wait(120);
            home.power(Source::Fallback, SUN).unwrap();
            home.cycle();
            home.wait(1);
            source = Source::Fallback;
        }
        Cause::BackToMeter => {
            cannot_run(&mut home, Source::Meter, 12);
            home.wait(120);
            cannot_run(&mut home, Source::Fallback, 8);
        }
    }
    assert_eq!(home.log, [""; 0], "{cause:?}");
    (home, source)
}

/// One cycle with a record.
fn minute(home: &mut Home, source: Source) {
    home.wait(60);
    home.power(source, SUN).unwrap();
    assert_eq!(home.cycle().source, Some(source));
}

#[test]
fn nothing_starts_on_fewer_records_than_confirm_it_after_a_start_a_gap_or_a_change_of_source() {
    for cause in CAUSES {
        for (confirm_records, waits) in [
            (1, &[][..]),
            (2, &["waits for a second record"]),
            (
                5,
                &[
                    "waits for 4 more records",
                    "waits for 3 more records",
                    "waits for 2 more records",
                    "waits for one more record",
                ],
            ),
        ] {
            let (mut home, source) = after(cause, boiler(), confirm_records);
            for reason in waits {
                minute(&mut home, source);
                let view = home.view("boiler");
                assert_eq!(view.reason, *reason, "{cause:?}, {confirm_records}");
                assert_eq!(view.ratio.map(|ratio| ratio.0), Some(1.5), "{cause:?}, {confirm_records}");
            }
            assert_eq!(home.log, [""; 0], "{cause:?}, {confirm_records}");
            minute(&mut home, source);
            assert_eq!(home.log.len(), 1, "{cause:?}, {confirm_records}: {:?}", home.log);
            assert!(home.log[0].ends_with("start boiler elected"), "{:?}", home.log);
        }
    }
}

#[test]
fn who_lacks_sun_is_told_so_and_not_that_it_waits_for_records() {
    let (mut home, source) = after(Cause::Start, plain("boiler", 3000.0), 2);
    minute(&mut home, source);
    assert_eq!(home.view("boiler").reason, "needs ratio 1.00, has 0.50: 1500 W short");
}

#[test]
fn a_change_of_source_in_every_other_record_confirms_nothing() {
    let settings = Settings { max_record_gap: Duration::from_secs(59), ..Settings::default() };
    let mut home = Home::with(settings, vec![boiler()]);
    for cycle in 0..20 {
        minute(&mut home, if cycle % 2 == 0 { Source::Meter } else { Source::Fallback });
    }
    assert_eq!(home.log, [""; 0]);
}

#[test]
fn the_answer_of_a_state_or_a_criterion_that_asks_for_no_sun_waits_for_records_too() {
    let mut says_yes = boiler();
    says_yes.state.meets_criteria = Some(true);
    for appliance in [says_yes, boiler().expressions("true", "true")] {
        let (mut home, source) = after(Cause::Start, appliance, 2);
        minute(&mut home, source);
        assert_eq!((home.log.len(), home.view("boiler").reason.as_str()), (0, "waits for a second record"));
        minute(&mut home, source);
        assert_eq!(home.log, ["2:00 start boiler elected"]);
    }
}

#[test]
fn a_deadline_and_a_mode_wait_for_no_record() {
    // One hour is owed, until 11:01.
    let daily = Daily { on_for: Duration::from_secs(3600), by: Time::new(11, 1, 0, 0).unwrap(), max: None };
    let due = boiler().with(|registration| registration.daily = Some(daily));
    let (mut home, source) = after(Cause::Start, due, 5);
    minute(&mut home, source);
    assert_eq!(home.log, ["1:00 start boiler daily"]);
    let (mut home, source) = after(Cause::Start, boiler(), 5);
    home.apply(&super::Do::Set("boiler", Mode::On, None));
    minute(&mut home, source);
    assert_eq!(home.log, ["0:00 start boiler mode"]);
}

#[test]
fn nobody_makes_room_for_a_task_that_waits_for_records() {
    let urgent = plain("urgent", 1000.0).high();
    let settings = Settings::default();
    let mut home = Home::with(settings, vec![boiler().running(), urgent]);
    for expect in [&[][..], &["2:00 stop boiler lower_priority", "2:00 start urgent lower_priority"]] {
        home.wait(60);
        home.meter(&[("net", 0.0), ("boiler", 1000.0), ("urgent", 0.0)]);
        home.cycle();
        assert_eq!(home.log, expect);
    }
}
