//! Meters: what crosses the grid, and what is derived from what they say.

use super::Step::{self, Cycle, Never, NoRecord, Retained, Says, Sends};
use super::{Recipe, becomes, check, feeds, reads};

const RELAY: &str = "N/c0619ab00000/system/0/Relay/1/State";
const SET_RELAY: &str = "W/c0619ab00000/system/0/Relay/1/State";
const L1: &str = "N/c0619ab00000/system/0/Ac/Grid/L1/Power";
const L2: &str = "N/c0619ab00000/system/0/Ac/Grid/L2/Power";
const L3: &str = "N/c0619ab00000/system/0/Ac/Grid/L3/Power";

pub(crate) const VICTRON: Recipe = Recipe {
    name: "victron",
    steps: &[
        Sends("R/c0619ab00000/keepalive", ""),
        becomes("heater", "stopped", RELAY, "victron_relay_off"),
        // Phases that have no value yet make no net, and null is not 0.
        reads("l1", L1, "victron_grid_l1"),
        feeds(L2, "victron_null"),
        feeds(L3, "victron_null"),
        NoRecord,
        reads("l1", L1, "victron_grid_l1"),
        reads("l2", L2, "victron_grid_l2"),
        reads("l3", L3, "victron_grid_l3"),
        reads("solar", "N/c0619ab00000/pvinverter/20/Ac/Power", "victron_pvinverter"),
        reads("battery", "N/c0619ab00000/system/0/Dc/Battery/Power", "victron_battery_power"),
        feeds("N/c0619ab00000/system/0/Dc/Battery/Soc", "victron_battery_soc"),
        Cycle(&[("net", 963.1), ("soc", 100.0)]),
        Never(SET_RELAY, r#"{"value": 1}"#),
        // A phase that falls silent, and an inverter that leaves at night, keep their last value.
        feeds(L2, "victron_null"),
        feeds("N/c0619ab00000/pvinverter/20/Ac/Power", "victron_gone"),
        Says(L1, r#"{"value": -3000.5}"#),
        reads("l3", L3, "victron_grid_l3"),
        Cycle(&[("l1", -3000.5), ("net", -2298.0)]),
        Sends(SET_RELAY, r#"{"value": 1}"#),
        becomes("heater", "running", RELAY, "victron_relay_on"),
        Says(L1, r#"{"value": 3000}"#),
        Cycle(&[("l1", 3000.0), ("net", 3702.5)]),
        Sends(SET_RELAY, r#"{"value": 0}"#),
    ],
};

pub(crate) const IOTAWATT: Recipe = Recipe {
    name: "iotawatt",
    steps: &[reads("net", "iotawatt/status", "iotawatt_status"), Cycle(&[("boiler", 962.0)])],
};

pub(crate) const THREE_PHASE: Recipe = Recipe {
    name: "three-phase",
    steps: &[
        Says("meter/l1/power", "-1500.5"),
        Says("meter/l2/power", "400"),
        NoRecord,
        Says("meter/l1/power", "-1500.5"),
        Says("meter/l2/power", "400"),
        Says("meter/l3/power", "100"),
        Cycle(&[("l1", -1500.5), ("l2", 400.0), ("l3", 100.0), ("net", -1000.5)]),
    ],
};

pub(crate) const HOUSE_MINUS_SOLAR: Recipe = Recipe {
    name: "house-minus-solar",
    steps: &[
        Says("meter/house", r#"{"power": "0.8"}"#),
        Says("inverter/power", "3100"),
        Cycle(&[("house", 800.0), ("solar", 3100.0), ("net", -2300.0)]),
    ],
};

const BOILER: &str = "sunward/task/boiler/state";

/// What `docs/house-battery.md` claims, with a boiler of 2000 W. All three speak each time: `net` waits for nobody then.
pub(crate) const HOUSE_BATTERY: Recipe = Recipe {
    name: "house-battery",
    steps: &[
        Says("sunward/task/boiler/config", r#"{"power": 2000, "keys": ["boiler"]}"#),
        Says(BOILER, "OFF"),
        // Charging, half empty.
        Says("home/battery/soc", "30"),
        Says("home/battery/power", "3500"),
        Says("home/grid/power", "0"),
        Cycle(&[("grid", 0.0), ("battery", 3500.0), ("soc", 30.0), ("net", 0.0)]),
        BOILER_WAITS,
        // Charging, half full.
        Says("home/battery/soc", "70"),
        Says("home/battery/power", "3500"),
        Says("home/grid/power", "0"),
        Cycle(&[("soc", 70.0), ("net", -3500.0)]),
        BOILER_STARTS,
        Says(BOILER, "ON"),
        Says("home/battery/soc", "70"),
        Says("home/battery/power", "1500"),
        Says("home/grid/power", "0"),
        Cycle(&[("battery", 1500.0), ("net", -1500.0)]),
        BOILER_GOES_ON,
        // At the threshold the boiler takes what the battery would have got, and pays nothing.
        Says("home/battery/soc", "50"),
        Says("home/battery/power", "1500"),
        Says("home/grid/power", "0"),
        Cycle(&[("soc", 50.0), ("net", 0.0)]),
        BOILER_GOES_ON,
        // Discharging, full.
        Says("home/battery/soc", "90"),
        Says("home/battery/power", "-2500"),
        Says("home/grid/power", "0"),
        Cycle(&[("battery", -2500.0), ("soc", 90.0), ("net", 2500.0)]),
        BOILER_STOPS,
        // Discharging, half empty.
        Says("home/battery/soc", "30"),
        Says("home/battery/power", "-2500"),
        Says("home/grid/power", "0"),
        Cycle(&[("soc", 30.0), ("net", 2500.0)]),
        // Charging from the grid at night.
        Says(BOILER, "OFF"),
        Says("home/battery/soc", "70"),
        Says("home/battery/power", "3000"),
        Says("home/grid/power", "3500"),
        Cycle(&[("grid", 3500.0), ("battery", 3000.0), ("soc", 70.0), ("net", 500.0)]),
        BOILER_WAITS,
    ],
};

/// `soc` doesn't change for hours, and Sunward starts in the meantime.
const AFTER_A_RESTART: Recipe = Recipe {
    name: "house-battery",
    steps: &[
        Retained("home/battery/soc", "70"),
        Says("home/battery/power", "3500"),
        Says("home/grid/power", "0"),
        Cycle(&[("battery", 3500.0), ("grid", 0.0), ("net", -3500.0)]),
    ],
};

const BOILER_WAITS: Step = Never("sunward/task/boiler/set", "start");
const BOILER_STARTS: Step = Sends("sunward/task/boiler/set", "start");
const BOILER_GOES_ON: Step = Never("sunward/task/boiler/set", "stop");
const BOILER_STOPS: Step = Sends("sunward/task/boiler/set", "stop");

#[tokio::test]
async fn victron_is_kept_alive_and_null_is_not_zero() {
    check(&VICTRON).await;
}

#[tokio::test]
async fn iotawatt_tells_numbers_as_text() {
    check(&IOTAWATT).await;
}

#[tokio::test]
async fn three_phases_make_one_net() {
    check(&THREE_PHASE).await;
}

#[tokio::test]
async fn the_grid_is_the_house_minus_solar() {
    check(&HOUSE_MINUS_SOLAR).await;
}

#[tokio::test]
async fn a_house_battery_neither_hides_the_sun_nor_is_drained() {
    check(&HOUSE_BATTERY).await;
    check(&AFTER_A_RESTART).await;
}
