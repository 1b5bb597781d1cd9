//! The outputs of a playback beside those that were recorded, one input after the other.

use jiff::Timestamp;

use super::output::Output;
use super::record_format::{Content, WrittenOutput};
use crate::wire::report;

/// The outputs of one input: as they are now, and as they were recorded.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    time: Timestamp,
    now: Vec<Output>,
    recorded: Vec<WrittenOutput>,
}

impl Comparison {
    /// An input is played at this time.
    pub(super) fn begin(time: Timestamp) -> Self {
        Self { time, ..Self::default() }
    }

    pub(super) fn played(&mut self, output: Output) {
        self.now.push(output);
    }

    pub(super) fn recorded(&mut self, outputs: Vec<WrittenOutput>) {
        self.recorded.extend(outputs);
    }

    pub(super) fn has_recorded(&self) -> bool {
        !self.recorded.is_empty()
    }

    /// How many there are now.
    pub(super) fn count(&self) -> usize {
        self.now.iter().filter(|output| WrittenOutput::of(output).is_some()).count()
    }

    /// Returns the first difference, in one sentence. `may_end_early`: what was recorded may lack its end, as the last
    /// input's does when a run is killed.
    pub(super) fn difference(&self, may_end_early: bool) -> Option<String> {
        let mut recorded = self.recorded.iter();
        for output in &self.now {
            let Some(now) = WrittenOutput::of(output) else { continue };
            match recorded.next() {
                Some(then) if *then == now => {}
                None if may_end_early => return None,
                then => return Some(self.differs(Some(&in_full(output)), then)),
            }
        }
        recorded.next().map(|then| self.differs(None, Some(then)))
    }

    fn differs(&self, now: Option<&str>, then: Option<&WrittenOutput>) -> String {
        let time = report::time(self.time);
        let then = then.map_or_else(|| "nothing".into(), as_written);
        format!("an output at {time} differs: {}; when it was recorded: {then}", now.unwrap_or("nothing"))
    }
}

fn in_full(output: &Output) -> String {
    match output {
        Output::State { topic, payload } => format!("{topic} = {}", String::from_utf8_lossy(payload)),
        Output::Command { topic, payload, .. } => format!("command {topic} = {payload}"),
        Output::Clear { topic } => format!("{topic} is cleared"),
        Output::Subscribe { filter } => format!("{filter} is listened to"),
        Output::Unsubscribe { filter } => format!("{filter} is not listened to any more"),
        Output::Ask => "the broker is asked".into(),
        Output::Ready => "the start-up is over".into(),
        Output::Decided(decision) => decision.to_string(),
        Output::Log { text, .. } => text.clone(),
    }
}

fn as_written(output: &WrittenOutput) -> String {
    let content = |content: &Content| match content {
        Content::Text(text) => text.clone(),
        Content::Long { bytes, crc32 } => format!("{bytes} bytes with the checksum {crc32:08x}"),
    };
    match output {
        WrittenOutput::State(topic, payload) => format!("{topic} = {}", content(payload)),
        WrittenOutput::Command(topic, payload) => format!("command {topic} = {}", content(payload)),
        WrittenOutput::Clear(topic) => format!("{topic} is cleared"),
        WrittenOutput::Subscribe(filter) => format!("{filter} is listened to"),
        WrittenOutput::Unsubscribe(filter) => format!("{filter} is not listened to any more"),
        WrittenOutput::Ask => "the broker is asked".into(),
        WrittenOutput::Ready => "the start-up is over".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::output::Level;

    fn state(payload: &str) -> Output {
        Output::State { topic: "a".into(), payload: payload.into() }
    }

    fn compare(now: &[Output], recorded: &[Output], may_end_early: bool) -> Option<String> {
        let mut comparison = Comparison::begin(Timestamp::UNIX_EPOCH);
        now.iter().cloned().for_each(|output| comparison.played(output));
        comparison.recorded(recorded.iter().filter_map(WrittenOutput::of).collect());
        comparison.difference(may_end_early)
    }

    #[test]
    fn every_output_but_the_log_is_compared_in_its_order() {
        let long = "x".repeat(100);
        let log = Output::Log { level: Level::Warn, text: "who reads this?".into() };
        let all = [state("1"), log, Output::Clear { topic: "b".into() }, state(&long), Output::Ready];
        assert_eq!(compare(&all, &all, false), None);
        for missing in [0, 2, 3, 4] {
            let rest = [&all[..missing], &all[missing + 1..]].concat();
            assert!(compare(&all, &rest, false).is_some() && compare(&rest, &all, false).is_some(), "{missing}");
        }
        let other = "x".repeat(99) + "y";
        let said = compare(&[state(&other)], &[state(&long)], false).unwrap();
        let begin = format!("an output at 1970-01-01T00:00:00.000Z differs: a = {other}; ");
        assert!(said.starts_with(&begin) && said.contains("100 bytes with the checksum "), "{said}");
    }

    #[test]
    fn only_a_run_that_was_killed_may_lack_the_last_outputs() {
        let (all, most) = ([state("1"), state("2")], [state("1")]);
        assert!(compare(&all, &most, false).is_some());
        assert_eq!(compare(&all, &most, true), None);
        assert!(compare(&most, &all, true).is_some());
        assert!(compare(&all, &[state("2")], true).is_some());
    }
}
