//! Whatever comes in, no reader panics.

use proptest::prelude::*;

use serde_json::Value;

use super::*;
use crate::core::{Criteria, TaskId};
use crate::units::PowerUnit;

/// Every reader, on the same bytes.
fn read(payload: &[u8]) {
    let id = TaskId::new("boiler").unwrap();
    let _ = registration(&id, payload, &Criteria::default(), &Limits::default()).map_err(|error| error.to_string());
    let _ = state(payload, &Limits::default()).map_err(|error| error.to_string());
    let _ = power_message(payload, PowerUnit::Kilowatts).map_err(|error| error.to_string());
    let _ = command(payload).map_err(|error| error.to_string());
    let _ = mode(payload).map_err(|error| error.to_string());
    let _ = priority(payload).map_err(|error| error.to_string());
    let _ = availability(payload).map_err(|error| error.to_string());
}

proptest! {
    #[test]
    fn random_bytes_never_panic(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
        read(&payload);
    }

    #[test]
    fn random_values_of_known_fields_never_panic(
        field in prop::sample::select(vec![
            "name", "priority", "power", "max_power", "keys", "auto_adjust", "criteria", "payload_on", "expire_after",
            "daily", "finished", "on_no_data", "running", "usage", "time", "net", "é\"",
        ]),
        value in prop::sample::select(vec![
            "1e999", "-1e308", "NaN", "[[]]", "{\"start\": \"((\"}", "{\"by\": \"é:00\"}", "\"\\u0000\"", "-0.0",
            "18446744073709551615", "null", "\"9999-12-31T23:59:59Z\"", "99999999999.999", "\"\"", "{\"\": {}}",
        ]),
    ) {
        let field = Value::from(field);
        read(format!("{{\"power\": 1, \"running\": true, {field}: {value}}}").as_bytes());
    }
}

#[test]
fn deep_json_is_refused_without_exhausting_the_stack() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{{\"running\": true, \"a\": {}1{}}}", open.repeat(1_000), close.repeat(1_000));
        read(deep.as_bytes());
        assert!(state(deep.as_bytes(), &Limits::default()).unwrap_err().to_string().contains("recursion limit"));
    }
}
