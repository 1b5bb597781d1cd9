//! What the slowest evaluations take, of the corpus that `tests/bounded` measures in bytes. A program of its own, as the
//! figure is a maximum, not a mean.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

#[path = "../tests/bounded/corpus.rs"]
mod corpus;

use std::time::{Duration, Instant};

use sunward::core::Criterion;
use sunward::devices::template::{DeviceMessage, Template};

/// Criteria that people write, on a state of 16 KiB.
const NORMAL: [&str; 5] = [
    "ratio >= 0.8 or (state.a < 20 and now.hour < 7)",
    "state.list | map('int') | sum > 100 or state.texts | length > 3",
    "'ab' in state.texts and state.short.split(':')[1] | length > 3",
    "state.short | regex_findall_index('\\((\\d+\\.\\d+)\\*kW') | float > 3",
    "state.maps | selectattr('a', 'eq', 'x') | list | length > 2",
];

/// The slowest of some evaluations.
#[derive(Default)]
struct Slowest(Vec<(Duration, String)>);

impl Slowest {
    fn time(&mut self, text: &str, run: impl Fn()) {
        let timed = || {
            let begin = Instant::now();
            run();
            begin.elapsed()
        };
        // Of three, the fastest: what else the machine does isn't meant.
        let first = timed();
        let time = if first < Duration::from_millis(2) { first } else { first.min(timed()).min(timed()) };
        self.0.push((time, text.to_owned()));
        self.0.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
        self.0.truncate(8);
    }

    fn tell(&self, what: &str) {
        println!("{what}");
        self.0.iter().for_each(|(time, text)| println!("  {time:>12?}  {text}"));
    }
}

fn main() {
    for bytes in [16 << 10, 300_000, 1 << 20] {
        let state = corpus::state(bytes);
        let (mut compiled, mut slowest) = (Slowest::default(), Slowest::default());
        corpus::each(5, 10_000, |expression| {
            compiled.time(expression, || drop(Criterion::expression(expression)));
            let Ok(criterion) = Criterion::expression(expression) else { return };
            slowest.time(expression, || drop(criterion.try_on(&state)));
        });
        compiled.tell(&format!("criteria, {bytes} bytes a field: compiled"));
        slowest.tell(&format!("criteria, {bytes} bytes a field: asked"));
    }
    let (state, mut normal) = (corpus::state(16 << 10), Slowest::default());
    for source in NORMAL {
        let criterion = Criterion::expression(source).unwrap();
        println!("{source}: {:?}", criterion.try_on(&state));
        normal.time(source, || drop(criterion.try_on(&state)));
    }
    normal.tell("criteria as people write them");
    let list = "1,".repeat(9_000);
    let payload = format!("{{\"a\":7,\"short\":\"ab\",\"long\":\"{}\",\"list\":[{list}0]}}", "a".repeat(60_000));
    let mut slowest = Slowest::default();
    corpus::each(5, 10_000, |expression| {
        let source = format!("{{{{ {} }}}}", expression.replace("state", "value_json"));
        let Ok(template) = Template::new(&source) else { return };
        slowest.time(&source, || drop(template.read(&DeviceMessage::new("t", payload.as_bytes()).unwrap())));
    });
    slowest.tell("templates of the configuration");
}
