//! Retained registrations whose criteria would take everything: the others are scheduled all the same.

use serde_json::json;

use crate::home::{Home, both};

/// Each of them would take gigabytes or minutes.
const GREEDY: &[&str] = &[
    "'{:18446744073709551615}'.format(1) == ''",
    "'{:9223372036854775807}'.format(state.big) == ''",
    "'{:.18446744073709551615f}'.format(1.5) == ''",
    "'{:>4000000000}'.format('a') == ''",
    "'%4000000000d' | format(1) == ''",
    "'%.4000000000f' | format(1.5) == ''",
    "state.big | regex_replace('a', state.big) == ''",
    "state.big | regex_replace('(?:a.*[^a])|a', 'b') == ''",
    "state.big | regex_search('(a?){90}a{90}$')",
    "state.big.replace('a', state.big) == ''",
    "state.big | replace('', state.big) == ''",
    "state.big.join(state.big) == ''",
    "state.list | sum(start=[]) == []",
    "state.texts | sum(start='') == ''",
    "(state.list * 100000000) ~ '' == ''",
    "state.list * 100000000 == state.list * 100000000",
    "([[1] * 10000] * 10000) | string == ''",
    "state.big * 99999 == ''",
    "state.big ~ state.big ~ state.big ~ state.big ~ state.big == ''",
    "state.big | indent(18446744073709551615, true) == ''",
    "state.list | batch(18446744073709551615, 'x') | list == []",
    "state.list | slice(18446744073709551615) | list == []",
    "''.join(range(-9223372036854775808, 9223372036854775807)) == ''",
    "3 in [2] * 100000000",
    "state.list | map('regex_replace', '', state.big) | list == []",
    "state.list | map('replace', '1', state.big) | list == []",
    "state.big[::-9223372036854775808] == ''",
];

/// Refused when they are registered: a list constant, or a method that no text has.
const REFUSED: &[&str] = &["[1] * 100000000 == [1] * 100000000", "state.big.center(18446744073709551615) == ''"];

#[tokio::test]
async fn greedy_criteria_leave_the_others_alone_and_are_given_up() {
    both(async |protocol| {
        let mut home = Home::empty(protocol, "[scheduler]\nconfirm_records = 1").await;
        let numbers = vec![1; 1_000];
        let texts = vec!["a"; 400];
        for (index, source) in GREEDY.iter().chain(REFUSED).enumerate() {
            home.register(
                &format!("greedy{index}"),
                json!({"power": 100, "priority": 4, "criteria": {"start": source}}),
            )
            .await;
            let big = "a".repeat(10_000);
            let state = json!({"running": false, "big": big, "list": numbers, "texts": texts});
            home.state(&format!("greedy{index}"), state).await;
        }
        home.register("good", json!({"power": 1000, "keys": ["good"], "criteria": {"start": "ratio >= 1"}})).await;
        home.running("good", false).await;
        home.start().await;
        let cycle = home.cycle_with(json!({"net": -9000, "good": 0})).await;
        assert!(cycle.commands.contains(&"good=start".into()), "{:?}", cycle.commands);
        for _ in 0..3 {
            home.cycle_with(json!({"net": -9000, "good": 0})).await;
        }
        let given_up = |report: &serde_json::Value| {
            report["reason"].as_str().is_some_and(|why| why.contains("failed so 3 times, not asked again until"))
        };
        for index in [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 14, 15, 17, 19, 20, 21, 24, 25] {
            let report = home.report(&format!("greedy{index}"), given_up).await;
            assert!(report["reason"].as_str().unwrap().starts_with("start fails ("), "{report}");
        }
        for index in GREEDY.len()..GREEDY.len() + REFUSED.len() {
            home.report(&format!("greedy{index}"), |report| report["error"].is_string()).await;
        }
        // A new state is asked about again.
        home.state("greedy6", json!({"running": false, "big": "b"})).await;
        home.cycle_with(json!({"net": -9000, "good": 0})).await;
        home.report("greedy6", |report| !given_up(report)).await;
    })
    .await;
}
