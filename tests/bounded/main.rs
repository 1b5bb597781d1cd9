//! No expression and no template takes more memory than it may, whatever it is made of. A program of its own: it counts
//! what is allocated.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod corpus;

use peak_alloc::PeakAlloc;
use sunward::core::Criterion;
use sunward::devices::template::{DeviceMessage, Template};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The most that one evaluation may take, its compilation included, in bytes.
const MOST: usize = 16 << 20;

/// Returns what is taken at most while this runs, in bytes.
fn taken(run: impl FnOnce()) -> usize {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    run();
    MEMORY.peak_usage().saturating_sub(before)
}

/// One test, as what other tests allocate would count too.
#[test]
fn no_evaluation_takes_more_than_16_mib() {
    let mut most = (0, String::new());
    let mut note = |expression: &str, taken: usize| {
        assert!(taken < MOST, "{taken} bytes: {expression}");
        if taken > most.0 {
            most = (taken, expression.to_owned());
        }
    };
    for (bytes, every) in [(100, 31), (16 << 10, 7), (300_000, 29), (1 << 20, 37)] {
        let state = corpus::state(bytes);
        corpus::each(every, 2_000, |expression| {
            note(expression, taken(|| drop(Criterion::expression(expression).map(|it| it.try_on(&state)))));
        });
    }
    let payload =
        format!("{{\"a\":7,\"short\":\"ab\",\"long\":\"{}\",\"list\":[{}0]}}", "a".repeat(60_000), "1,".repeat(9_000));
    corpus::each(23, 2_000, |expression| {
        let source = format!("{{{{ {} }}}}", expression.replace("state", "value_json"));
        let message = DeviceMessage::new("t", payload.as_bytes()).unwrap();
        note(&source, taken(|| drop(Template::new(&source).map(|it| it.read(&message)))));
    });
    println!("at most {} bytes: {}", most.0, most.1);
}
