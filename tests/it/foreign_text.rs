//! What tasks may say, and how it is shown: nothing that somebody sends moves a terminal's cursor or writes a line of a log.

use serde_json::{Value, json};

use crate::home::{Home, program};
use crate::peer::PROTOCOLS;
use sunward::text::is_shown;

/// Clears the screen, sets the title, starts a line, turns the direction.
const NASTY: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\r\n2026-01-01T00:00:00Z ERROR forged\u{202e}\u{9b}31m";

#[track_caller]
fn is_plain(text: &str) {
    let hidden: Vec<char> = text.chars().filter(|letter| *letter != '\n' && !is_shown(*letter)).collect();
    assert!(hidden.is_empty() && !text.contains("\n2026-01-01T00:00:00Z ERROR"), "{hidden:?} in {text:?}");
}

/// What a command prints, to both ends.
async fn printed(home: &Home, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sunward.toml");
    std::fs::write(&file, format!("[mqtt]\nurl = \"{}\"\n", home.broker.url())).unwrap();
    let mut command = program(folder.path());
    command.arg("--config").arg(&file).args(arguments);
    let output = command.output().await.unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[tokio::test]
async fn control_characters_are_refused_in_names_and_keys() {
    let mut home = Home::new(PROTOCOLS[0], "").await;
    for (field, value) in [("name", json!(format!("EV{NASTY}"))), ("keys", json!([format!("ev{NASTY}")]))] {
        let mut registration = json!({"power": 1000});
        registration[field] = value;
        home.register("ev", registration).await;
        let report =
            home.report("ev", |report| report["error"].as_str().is_some_and(|error| error.starts_with(field))).await;
        assert_eq!(report["status"], "invalid");
        assert!(report["error"].as_str().unwrap().contains("U+001B"), "{report}");
    }
    let odd = format!("net{NASTY}");
    home.power(json!({"net": -1, odd: 5})).await;
    let record = home.cycle().await.report["record"].clone();
    assert_eq!(record, json!({"net": -1}));
    is_plain(&home.sunward.as_ref().unwrap().log());
}

#[tokio::test]
async fn what_somebody_sends_is_escaped_wherever_it_is_printed() {
    let mut home = Home::new(PROTOCOLS[0], "").await;
    let criteria = json!({"start": format!("ratio > 9 and '{}' != ''", NASTY.replace('\\', "")), "keep": 0.5});
    home.register("ev", json!({"power": 1000, "keys": ["ev"], "criteria": criteria})).await;
    home.state("ev", json!({"running": false, "text": NASTY})).await;
    home.cycle_with(json!({"net": -500, "ev": 0})).await;
    let report = home.report("ev", |report| report["reason"].as_str().is_some_and(|why| why.contains("forged"))).await;
    assert!(report["reason"].as_str().unwrap().contains('\u{1b}'), "data stays as it is: {report}");
    // Whoever may write there can forge a report.
    home.say("sunward/task/ev/state", NASTY).await;
    home.say("sunward/power", format!("{{\"net\": \"{}\"}}", "\u{202e}\u{9b}")).await;
    home.say("sunward/task/\u{202e}ve/config", "{}").await;
    home.say("sunward/scheduler/set", NASTY).await;
    home.scheduler(|state| state["rejected"].as_u64() >= Some(3)).await;
    is_plain(&home.sunward.as_ref().unwrap().log());

    let status = printed(&home, &["status"]).await;
    assert!(status.contains("\\u{1b}[2J") && status.contains("\\r\\n2026"), "{status}");
    is_plain(&status);
    let forged = json!({"status": NASTY, "reason": NASTY, "priority": NASTY, "power": 1});
    home.stop().await;
    home.retain("sunward/task/ev/report", &forged.to_string()).await;
    home.retain("sunward/scheduler/availability", "online").await;
    let state = json!({"state": NASTY, "since": NASTY, "warnings": [NASTY], "paused": false});
    home.retain("sunward/scheduler/state", &state.to_string()).await;
    let status = printed(&home, &["status"]).await;
    assert!(status.matches("forged").count() > 3, "{status}");
    is_plain(&status);
    let listened = printed(&home, &["check", "--listen", "1s"]).await;
    assert!(listened.contains("ev"), "{listened}");
    is_plain(&listened);
}

#[tokio::test]
async fn a_task_that_says_too_much_is_refused_with_the_number() {
    let limits = "scheduler.max_state_size = 20000\nscheduler.max_registration_size = 300\n";
    for (toml, state_limit, registration_limit) in [("", 16_384, 8_192), (limits, 20_000, 300)] {
        let mut home = Home::new(PROTOCOLS[0], toml).await;
        home.register("plug", json!({"power": 1000, "keys": ["plug"]})).await;
        home.register("other", json!({"power": 1000, "keys": ["other"]})).await;
        let refused = |what: &str, limit: usize| {
            let expect = format!("bytes, at most {limit} are allowed (scheduler.max_{what}_size)");
            move |report: &Value| report["error"].as_str().is_some_and(|error| error.contains(&expect))
        };
        let huge = "x".repeat(900_000);
        home.state("plug", json!({"running": true, "text": huge})).await;
        home.report("plug", refused("state", state_limit)).await;
        home.register("plug", json!({"power": 1000, "name": huge})).await;
        home.report("plug", refused("registration", registration_limit)).await;
        // What it says afterwards counts, and the others never noticed.
        home.register("plug", json!({"power": 1000, "keys": ["plug"]})).await;
        let fits = json!({"running": false, "text": "x".repeat(state_limit - 40)});
        home.state("plug", fits).await;
        home.running("other", false).await;
        for id in ["plug", "other"] {
            home.report(id, |report| report["status"] == "stopped" && report.get("error").is_none_or(Value::is_null))
                .await;
        }
    }
}
