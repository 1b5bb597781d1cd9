//! Random homes and days.

use std::time::Duration;

use proptest::prelude::*;
use sunward::core::Priority;

use super::{Appliance, adjustable, plain};

/// How a task is in one cycle.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub(super) running: bool,
    pub(super) runnable: bool,
    pub(super) stoppable: Option<bool>,
    pub(super) reachable: bool,
    pub(super) usage: f64,
}

/// `net`, a condition for each task, and whether everybody followed the decisions of the cycle before.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) net: f64,
    pub(super) conditions: Vec<Condition>,
    pub(super) follow: bool,
}

fn appliance() -> impl Strategy<Value = Appliance> {
    let criteria = prop::sample::select(vec![(1.0, 0.75), (1.0, 0.9), (0.7, 0.5), (0.2, 0.0)]);
    let guards = (prop::bool::weighted(0.8), prop::sample::select(vec![0, 0, 120, 600]));
    // Few keys for many tasks: some are shared.
    let keys = prop::collection::btree_set(0_u8..8, 1..3);
    (1_u64..=4, 1_u32..80, prop::option::weighted(0.3, 1_u32..5), keys, criteria, guards).prop_map(
        |(priority, power, most, keys, (start, keep), (interruptible, min_on))| {
            let power = f64::from(power) * 50.0;
            let task = match most {
                Some(most) => adjustable("task", power, power * f64::from(most)),
                None => plain("task", power),
            };
            task.criteria(start, keep).with(|registration| {
                registration.priority = Priority::from_level(priority).unwrap();
                registration.keys = keys.iter().map(|key| format!("k{key}")).collect();
                registration.interruptible = interruptible;
                registration.min_on = Duration::from_secs(min_on);
            })
        },
    )
}

fn step(tasks: usize) -> impl Strategy<Value = Step> {
    let often = || prop::bool::weighted(0.9);
    let stoppable = prop::option::weighted(0.4, prop::bool::weighted(0.6));
    let condition = (any::<bool>(), often(), stoppable, often(), 0_u32..120).prop_map(
        |(running, runnable, stoppable, reachable, usage)| Condition {
            running,
            runnable,
            stoppable,
            reachable,
            usage: f64::from(usage) * 50.0,
        },
    );
    let net = prop_oneof![1 => Just(0), 4 => -200_i32..100].prop_map(|net| f64::from(net) * 60.0);
    (net, prop::collection::vec(condition, tasks), often()).prop_map(|(net, conditions, follow)| Step {
        net,
        conditions,
        follow,
    })
}

pub(super) fn days() -> impl Strategy<Value = (Vec<Appliance>, Vec<Step>)> {
    (1_usize..=10).prop_flat_map(|tasks| {
        (prop::collection::vec(appliance(), tasks), prop::collection::vec(step(tasks), 1..16)).prop_map(
            |(mut appliances, steps)| {
                for (index, appliance) in appliances.iter_mut().enumerate() {
                    let renamed = plain(&format!("t{index}"), 1.0);
                    (appliance.id, appliance.registration.name) = (renamed.id, renamed.registration.name);
                }
                (appliances, steps)
            },
        )
    })
}
