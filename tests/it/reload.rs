//! SIGHUP: the configuration is read again, and what runs goes on.

use serde_json::json;
use sunward::config::Protocol;

use crate::home::{AVAILABILITY, Home, both};

const STRICT: &str = "[scheduler]\nconfirm_records = 2\n[scheduler.criteria]\nstart = 2\nkeep = 0.1\n";

const LENIENT: &str = "[scheduler]\nconfirm_records = 2\n[scheduler.criteria]\nstart = 1\nkeep = 0.1\n\
    [[task]]\nid = 'lamp'\npower = 60\ncommand_topic = 'lamp/set'\nstate_topic = 'lamp'\n";

#[tokio::test]
async fn what_runs_goes_on_by_another_configuration() {
    both(async |protocol| {
        let mut home = Home::new(protocol, STRICT).await;
        home.register("heater", json!({"power": 2000, "min_on": "1h"})).await;
        home.register("pump", json!({"power": 500})).await;
        home.register("ev", json!({"power": 1000})).await;
        for (id, running) in [("heater", false), ("pump", false), ("ev", false), ("heater", true)] {
            home.running(id, running).await;
        }
        home.say("sunward/task/pump/mode/set", "off").await;
        let before = home.report("heater", |report| report["starts_today"] == 1).await;
        for _ in 0..2 {
            assert!(home.cycle_with(json!({"net": -1500})).await.commands.is_empty(), "{home}");
        }
        let heard = home.all.len();
        home.reload(LENIENT).await;
        home.scheduler(|state| state["tasks"] == 4).await;
        // Both records are still there: the first cycle starts what the new criteria allow, and nothing else happens.
        let cycle = home.cycle_with(json!({"net": -1500})).await;
        assert_eq!(cycle.commands, ["ev=start"], "{home}");
        let after = home.report("heater", |report| report["status"] == "running").await;
        assert_eq!((&after["since"], &after["starts_today"]), (&before["since"], &before["starts_today"]));
        home.report("pump", |report| report["mode"] == "off").await;
        assert!(!home.all[heard..].iter().any(|all| all == &format!("{AVAILABILITY}=offline")), "{home}");
        home.reload(STRICT).await;
        home.scheduler(|state| state["tasks"] == 3).await;
        home.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_configuration_that_is_refused_changes_nothing() {
    let mut home = Home::new(Protocol::V5, STRICT).await;
    home.register("heater", json!({"power": 2000})).await;
    home.running("heater", true).await;
    home.reload("[scheduler]\nheadroom = 'much'").await;
    let log = home.sunward.as_ref().unwrap().log();
    assert!(log.contains("the configuration stays as it was: sunward.toml: scheduler.headroom"), "{log}");
    assert_eq!(home.cycle_with(json!({"net": 0})).await.report["skipped"], json!(null));
    home.stop().await;
}

#[tokio::test]
async fn another_base_topic_is_moved_to_and_the_old_one_left_clean() {
    both(async |protocol| {
        let mut home = Home::new(protocol, LENIENT).await;
        home.retain("lamp", "ON").await;
        home.report("lamp", |report| report["status"] == "running").await;
        home.say("sunward/task/lamp/mode/set", "on").await;
        home.report("lamp", |report| report["mode"] == "on").await;
        home.reload(&format!("[mqtt]\nbase_topic = 'home'\n{LENIENT}")).await;
        home.until("its report", |home| home.seen("home/task/lamp/report").contains("\"on\"").then_some(())).await;
        home.until("online", |home| (home.seen("home/scheduler/availability") == "online").then_some(())).await;
        home.until("offline", |home| (home.seen(AVAILABILITY) == "offline").then_some(())).await;
        let retained = home.retained().await;
        let old: Vec<_> = retained.keys().filter(|topic| topic.starts_with("sunward/")).collect();
        assert_eq!(old, [AVAILABILITY], "{retained:?}");
        assert_eq!(home.taken_commands(), [""; 0], "{home}");
        let mut sunward = home.sunward.take().unwrap();
        assert!(sunward.stop().await.success(), "{}", sunward.log());
        sunward.play_again();
    })
    .await;
}
