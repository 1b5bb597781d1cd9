//! What the docs tell people to type, to get rid of what is retained under a base topic or prefix of the past.

use std::path::Path;

use serde_json::json;

use crate::home::{Home, both};

/// Types the block of a page that holds `part`, at the test's broker.
fn typed(page: &str, part: &str, port: &str) {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let mut blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let block = blocks.find(|block| block.contains(part)).expect("the page says no such thing");
    let block = ["mosquitto_sub", "mosquitto_pub"]
        .iter()
        .fold(block.to_owned(), |block, program| block.replace(program, &format!("{program} -p {port}")));
    // mosquitto_sub ends with a status of its own when its time is over.
    let status = std::process::Command::new("sh").args(["-c", &block]).output().unwrap().status;
    assert!(matches!(status.code(), Some(0 | 27)), "{block}");
}

#[tokio::test]
async fn what_the_docs_say_clears_all_that_sunward_and_its_tasks_left_and_nothing_else() {
    both(async |protocol| {
        let mut home = Home::new(protocol, "").await;
        home.register("heater", json!({"power": 2000, "max_power": 3000, "auto_adjust": true})).await;
        home.running("heater", false).await;
        home.retain("sunward/task/heater/availability", "online").await;
        home.cycle().await;
        home.until("a device", |home| {
            (!home.seen("homeassistant/device/sunward_task_heater/config").is_empty()).then_some(())
        })
        .await;
        home.stop().await;
        let others = ["homeassistant/device/sunward2/config", "homeassistant/device/plug/config", "sunward/note"];
        for topic in others {
            home.retain(topic, "theirs").await;
        }
        let port = home.broker.url().rsplit(':').next().unwrap().to_owned();
        assert!(home.retained().await.len() > 10);
        typed("docs/mqtt.md", "--remove-retained", &port);
        typed("docs/home-assistant.md", "--retained-only", &port);
        let mut left: Vec<String> = home.retained().await.into_keys().filter(|topic| topic != "marker").collect();
        left.sort_unstable();
        assert_eq!(left, [others[1], others[0], others[2]]);
    })
    .await;
}
