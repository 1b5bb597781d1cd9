//! Two Sunwards that speak on the same topics: they notice, and neither is called away.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::home::{AVAILABILITY, Home, STATE, Sunward, both};

#[tokio::test]
async fn another_sunward_that_ends_does_not_call_this_one_away() {
    both(async |protocol| {
        let mut home = Home::new(protocol, "").await;
        home.retain(AVAILABILITY, "offline").await;
        let state = home.scheduler(|state| state["rejected"] == 1).await;
        assert_eq!(home.retained().await[AVAILABILITY], "online");
        assert!(
            state["problem"].as_str().unwrap().ends_with("is there another one with this mqtt.base_topic?"),
            "{state}"
        );
    })
    .await;
}

#[tokio::test]
async fn two_sunwards_on_the_same_topics_warn_of_each_other() {
    both(async |protocol| {
        let mut home = Home::new(protocol, "").await;
        assert!(home.cycle().await.report["online_since"].is_string());
        home.cut().await;
        home.cycle().await;
        let state = home.scheduler(|state| state["state"] == "active").await;
        assert_eq!(state["warnings"], json!([]), "it takes itself for another");
        let _other = Sunward::spawn(Some(&home.broker.url()), protocol, "[mqtt]\nclient_id = 'other'");
        let warned = |home: &Home| {
            let states = home.all.iter().filter_map(|message| message.strip_prefix(STATE)?.strip_prefix('='));
            let states = states.map(|state| serde_json::from_str::<Value>(state).unwrap());
            let warnings = states.filter_map(|state| Some(state["warnings"][0].as_str()?.to_owned()));
            warnings.filter(|warning| warning.starts_with("another Sunward, online since ")).collect::<BTreeSet<_>>()
        };
        let online = |home: &Home| home.all.iter().filter(|told| *told == &format!("{AVAILABILITY}=online")).count();
        let before = online(&home);
        home.until("the other is online", |home| (online(home) > before).then_some(())).await;
        home.command("schedule").await;
        home.until("each warns of the other", |home| (warned(home).len() == 2).then_some(())).await;
    })
    .await;
}
