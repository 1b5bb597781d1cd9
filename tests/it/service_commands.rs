//! What a user tells the scheduler: pause, resume, schedule, stop_all.

use serde_json::{Value, json};
use sunward::config::Protocol;

use crate::home::{AVAILABILITY, Home, SET, both};

async fn with_heater(protocol: Protocol, running: bool) -> Home {
    let mut home = Home::new(protocol, "").await;
    home.register("heater", json!({"power": 2000, "keys": ["heater"]})).await;
    home.running("heater", running).await;
    home
}

fn paused(state: &Value) -> bool {
    state["paused"] == true && state["state"] == "paused"
}

fn active(state: &Value) -> bool {
    state["paused"] == false && state["state"] == "active"
}

async fn command_cleared(home: &mut Home) {
    home.until("the command is cleared", |home| home.seen(SET).is_empty().then_some(())).await;
    assert!(!home.retained().await.contains_key(SET), "the command is still retained");
}

#[tokio::test]
async fn a_pause_survives_a_clean_end_and_a_power_cut() {
    both(async |protocol| {
        let mut home = with_heater(protocol, false).await;
        home.command("PAUSE").await;
        let since = home.scheduler(paused).await["since"].clone();
        for clean in [true, false] {
            let cycle = home.cycle_with(json!({"net": -2500})).await;
            assert_eq!((&cycle.report["skipped"], cycle.commands.len()), (&json!("paused"), 0));
            assert_eq!(cycle.report["record"]["net"], -2500, "the window keeps filling");
            if clean {
                home.stop().await
            } else {
                home.kill().await
            }
            home.start().await;
            assert_eq!(home.scheduler(paused).await["since"], since);
        }
        home.command("resume").await;
        home.scheduler(active).await;
        home.kill().await;
        home.start().await;
        home.scheduler(active).await;
        assert_eq!(home.cycle_with(json!({"net": -2500})).await.commands, ["heater=start"]);
    })
    .await;
}

#[tokio::test]
async fn a_retained_command_is_obeyed_once_after_the_start_up_and_cleared() {
    both(async |protocol| {
        let mut home = Home::empty(protocol, "").await;
        home.register("heater", json!({"power": 2000})).await;
        home.running("heater", false).await;
        home.retain(SET, "schedule").await;
        home.launch();
        let cycle = home.next_cycle(0).await;
        assert_eq!(home.seen(AVAILABILITY), "online", "the cycle came before the start-up was over");
        assert_eq!((&cycle.report["skipped"], cycle.commands.len()), (&json!("no_record"), 0));
        command_cleared(&mut home).await;
        home.stop().await;
        home.retain(SET, " Pause\n").await;
        home.start().await;
        home.scheduler(paused).await;
        command_cleared(&mut home).await;
        home.command("resume").await;
        home.scheduler(active).await;
        home.cut().await;
        home.stop().await;
        home.start().await;
        home.scheduler(active).await;
        assert_eq!(home.cycles(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_command_retained_while_it_runs_does_not_come_again_either() {
    both(async |protocol| {
        let mut home = with_heater(protocol, false).await;
        home.retain(SET, "pause").await;
        home.scheduler(paused).await;
        command_cleared(&mut home).await;
        home.command("resume").await;
        home.scheduler(active).await;
        home.cut().await;
        assert_eq!(home.cycle_with(json!({"net": -2500})).await.commands, ["heater=start"]);
    })
    .await;
}

#[tokio::test]
async fn a_retained_command_that_nobody_understands_is_counted_once_and_cleared() {
    let mut home = Home::empty(Protocol::V5, "").await;
    home.retain(SET, "explode").await;
    home.start().await;
    let state = home.scheduler(|state| state["rejected"] == 1).await;
    assert_eq!(state["last_error"]["topic"], SET);
    command_cleared(&mut home).await;
    home.cut().await;
    home.cycle().await;
    home.scheduler(|state| state["rejected"] == 1 && active(state)).await;
}

#[tokio::test]
async fn stop_all_stops_pauses_and_repeats_until_it_is_followed() {
    both(async |protocol| {
        let mut home = with_heater(protocol, true).await;
        home.register("washer", json!({"power": 500, "interruptible": false})).await;
        home.running("washer", true).await;
        home.register("pump", json!({"power": 500})).await;
        home.running("pump", false).await;
        home.command("stop_all").await;
        home.scheduler(paused).await;
        home.commanded(&["heater=stop"]).await;
        for _ in 0..2 {
            let cycle = home.cycle_with(json!({"net": -5000, "heater": 2000})).await;
            assert_eq!(cycle.commands, ["heater=stop"]);
            assert_eq!(cycle.report["skipped"], "paused");
            assert_eq!(cycle.report["stopped"][0]["rule"], "stop_all", "{}", cycle.report);
        }
        home.running("heater", false).await;
        assert!(home.cycle().await.commands.is_empty());
        // Who starts it by hand now wants it to run.
        home.running("heater", true).await;
        assert!(home.cycle().await.commands.is_empty());
        home.command("resume").await;
        home.scheduler(active).await;
    })
    .await;
}

#[tokio::test]
async fn a_task_that_vanished_and_registers_again_is_not_stopped_by_an_old_stop_all() {
    let mut home = with_heater(Protocol::V5, true).await;
    home.command("stop_all").await;
    home.scheduler(paused).await;
    assert_eq!(home.cycle().await.commands.len(), 2);
    home.unregister("heater").await;
    assert!(home.cycle().await.commands.is_empty());
}
