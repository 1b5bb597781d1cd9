//! Leases: the start of a task that is to run is repeated in time.

use std::time::Duration;

use sunward::core::Mode::{Auto, Off as Never, On as Always};
use sunward::core::OnNoData;
use sunward::core::UserCommand::{Pause, Resume, StopAll};

use super::Do::{self, Available, Cycle, Meter, Off, On, Say, Set, Steady, User, Wait};
use super::{Appliance, check, plain};

const SUN: Do = Steady(&[("net", -5000.0), ("boiler", 0.0)]);
const RAIN: Do = Meter(&[("net", 5000.0), ("boiler", 1000.0)]);

/// It stops by itself ten minutes after the last start.
fn boiler() -> Appliance {
    plain("boiler", 1000.0).with(|registration| {
        registration.lease = Some(Duration::from_secs(600));
        registration.on_no_data = OnNoData::Keep;
    })
}

#[test]
fn a_start_is_repeated_every_half_lease_with_and_without_data_and_during_a_pause() {
    let renewed = ["0:00 start boiler elected", "5:00 renew boiler", "10:00 renew boiler"];
    check(vec![boiler()], &[SUN, Cycle, Wait(899)], &renewed);
    check(vec![boiler()], &[SUN, Cycle, User(Pause), Wait(899)], &renewed);
    check(vec![boiler()], &[SUN, Cycle, Wait(299), SUN, Cycle], &renewed[..1]);
    // A start in between counts.
    let again = [Set("boiler", Always, None), Off("boiler"), Wait(60), Cycle, Wait(299)];
    check(vec![boiler()], &again, &["0:00 start boiler mode", "1:00 start boiler mode"]);
}

#[test]
fn who_runs_already_is_told_at_once() {
    // After a restart nobody knows when the last start was sent.
    check(vec![boiler().running()], &[Wait(301)], &["0:00 renew boiler", "5:00 renew boiler"]);
    check(vec![boiler()], &[Wait(60), On("boiler"), Wait(1)], &["1:00 renew boiler"]);
    check(vec![boiler()], &[Wait(60), On("boiler"), RAIN, Cycle], &["1:00 stop boiler failing_criteria"]);
}

#[test]
fn who_is_to_stop_is_not_told_to_run_on() {
    let deaf = || vec![boiler().running().deaf()];
    let first = "0:00 renew boiler";
    let stop = "1:00 stop boiler failing_criteria";
    let stopped = [Wait(60), RAIN, Cycle, Wait(900)];
    check(deaf(), &stopped, &[first, stop]);
    // A cycle that decides otherwise ends that; so does a pause.
    let kept = [&stopped[..], &[SUN, Cycle]].concat();
    check(deaf(), &kept, &[first, stop, "16:00 renew boiler"]);
    let paused = [&stopped[..], &[User(Pause), Wait(1)]].concat();
    check(deaf(), &paused, &[first, stop, "16:00 renew boiler"]);
    check(deaf(), &[User(StopAll), Wait(900)], &["0:00 stop boiler stop_all"]);
    check(deaf(), &[Wait(1), Set("boiler", Never, None), Wait(900)], &[first, "0:01 stop boiler mode"]);
    // One in mode off that can't be stopped yet is not kept up.
    let unstoppable = Say("boiler", |state| state.stoppable = Some(false));
    let off = [unstoppable, Set("boiler", Never, None), Wait(900), Set("boiler", Auto, None), Wait(1)];
    check(deaf(), &off, &["15:00 renew boiler"]);
    let resumed = [User(StopAll), User(Resume), Wait(10)];
    check(deaf(), &resumed, &["0:00 stop boiler stop_all"]);
}

#[test]
fn who_can_not_be_heard_is_not_told_until_it_is_back() {
    let away = [Available("boiler", Some(false)), Wait(900)];
    check(vec![boiler().running()], &away, &[]);
    // A plug that reboots tells a moment later that it is off.
    let back = [&away[..], &[Available("boiler", Some(true)), Wait(9)]].concat();
    check(vec![boiler().running()], &back, &[]);
    check(vec![boiler().running()], &[&back[..], &[Wait(1)]].concat(), &["15:10 renew boiler"]);
    check(vec![boiler().running()], &[&back[..], &[Off("boiler"), Wait(900)]].concat(), &[]);
    let expires = || boiler().running().with(|registration| registration.expire_after = Some(Duration::from_secs(90)));
    let silent = [Wait(1), Wait(1000)];
    check(vec![expires()], &silent, &["0:00 renew boiler"]);
    check(
        vec![expires()],
        &[&silent[..], &[On("boiler"), Wait(1)]].concat(),
        &["0:00 renew boiler", "16:41 renew boiler"],
    );
}
