//! Chargers: a car that is plugged in or not, and amperes that follow the sun.

use super::Step::{Cycle, Never, Says, Sends};
use super::{Recipe, becomes, check, feeds, net, reads};

const GO_E_CAR: &str = "go-eCharger/000000/car";
const GO_E_MCC: &str = "go-eCharger/000000/mcc";
const GO_E_AMP: &str = "go-eCharger/000000/amp/set";
const GO_E_FRC: &str = "go-eCharger/000000/frc/set";

pub(crate) const GO_E: Recipe = Recipe {
    name: "go-e",
    steps: &[
        feeds(GO_E_MCC, "goe_mcc_true"),
        becomes("ev", "unrunnable", GO_E_CAR, "goe_car_1"),
        reads("ev", "go-eCharger/000000/nrg", "goe_nrg_idle"),
        net(r#"{"net": -9000}"#),
        Cycle(&[("net", -9000.0)]),
        Never(GO_E_FRC, "2"),
        becomes("ev", "stopped", GO_E_CAR, "goe_car_4"),
        becomes("ev", "stopped", GO_E_CAR, "goe_car_3"),
        net(r#"{"net": -9000}"#),
        Cycle(&[]),
        // Before a start it is 6 A on three phases.
        Sends(GO_E_AMP, "6"),
        Sends(GO_E_FRC, "2"),
        becomes("ev", "running", GO_E_CAR, "goe_car_2"),
        // 4140 + 5600 W are 14.1 A, at which the charger was captured.
        Says("go-eCharger/000000/nrg", "[230,230,230,0,6,6,6,1380,1380,1380,0,4140,100,100,100,0]"),
        net(r#"{"net": -5600}"#),
        Sends(GO_E_AMP, "14"),
        Cycle(&[("ev", 4140.0), ("net", -5600.0)]),
        // 9730 - 2000 W are 11.2 A.
        reads("ev", "go-eCharger/000000/nrg", "goe_nrg_charging"),
        net(r#"{"net": 2000}"#),
        Sends(GO_E_AMP, "11"),
        Cycle(&[("net", 2000.0)]),
        Never(GO_E_FRC, "1"),
        reads("ev", "go-eCharger/000000/nrg", "goe_nrg_charging"),
        net(r#"{"net": 9000}"#),
        Cycle(&[("net", 9000.0)]),
        Sends(GO_E_FRC, "1"),
        becomes("ev", "stopped", GO_E_CAR, "goe_car_4"),
        Sends(GO_E_AMP, "6"),
        becomes("ev", "unrunnable", GO_E_CAR, "goe_car_null"),
        becomes("ev", "unreachable", GO_E_MCC, "goe_mcc_false"),
    ],
};

const OPENEVSE_CLAIM: &str = "openevse-7b2c/claim/set";

pub(crate) const OPENEVSE: Recipe = Recipe {
    name: "openevse",
    steps: &[
        feeds("openevse/announce/7b2c", "openevse_connected"),
        becomes("ev", "unrunnable", "openevse-7b2c/state", "openevse_state_sleeping"),
        becomes("ev", "unrunnable", "openevse-7b2c/vehicle", "openevse_no_vehicle"),
        reads("net", "emon/emonpi/power1", "emonpi_grid_ie"),
        Cycle(&[]),
        becomes("ev", "stopped", "openevse-7b2c/vehicle", "openevse_vehicle"),
        reads("net", "emon/emonpi/power1", "emonpi_grid_ie"),
        Cycle(&[]),
        // 1077 W are not 6 A.
        Never(OPENEVSE_CLAIM, r#"{"state": "active", "auto_release": false}"#),
        Says("emon/emonpi/power1", "-2500"),
        Cycle(&[("net", -2500.0)]),
        Sends(OPENEVSE_CLAIM, r#"{"charge_current": 6}"#),
        Sends(OPENEVSE_CLAIM, r#"{"state": "active", "auto_release": false}"#),
        becomes("ev", "running", "openevse-7b2c/state", "openevse_state_charging"),
        Says("openevse-7b2c/amp", "6000"),
        Says("emon/emonpi/power1", "-5950"),
        Sends(OPENEVSE_CLAIM, r#"{"charge_current": 30}"#),
        Cycle(&[("net", -5950.0), ("ev", 1440.0)]),
        // 30580 mA at 240 V.
        feeds("openevse-7b2c/amp", "openevse_amp"),
        Says("emon/emonpi/power1", "2500"),
        Sends(OPENEVSE_CLAIM, r#"{"charge_current": 20}"#),
        Cycle(&[("net", 2500.0), ("ev", 7339.2)]),
        feeds("openevse-7b2c/amp", "openevse_amp"),
        Says("emon/emonpi/power1", "7300"),
        Cycle(&[("net", 7300.0), ("ev", 7339.2)]),
        Sends(OPENEVSE_CLAIM, r#"{"state": "disabled", "auto_release": false}"#),
        becomes("ev", "stopped", "openevse-7b2c/state", "openevse_state_connected"),
        becomes("ev", "unreachable", "openevse/announce/7b2c", "openevse_disconnected"),
    ],
};

#[tokio::test]
async fn go_e_charges_what_the_sun_gives() {
    check(&GO_E).await;
}

#[tokio::test]
async fn openevse_charges_what_the_sun_gives() {
    check(&OPENEVSE).await;
}
