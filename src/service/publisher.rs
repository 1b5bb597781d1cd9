//! What the broker retains of Sunward's: published only when it changes, and all of it again, in batches, after a new
//! connection.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use super::output::{Output, Outputs};
use super::pace::Pace;
use crate::core::Instant;

/// When everything is published again, it comes in batches of so many,
const BATCH: usize = 20;

/// with so long between them: a small broker and Home Assistant have other things to do.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Publisher {
    /// What the broker retains, by topic.
    retained: HashMap<String, Vec<u8>>,
    /// To be published again, in order.
    again: VecDeque<String>,
    /// When the next batch of them is due.
    due: Instant,
    pause: Duration,
}

impl Publisher {
    pub(super) fn new(pace: Pace) -> Self {
        Self { retained: HashMap::new(), again: VecDeque::new(), due: Instant::START, pause: pace.network(PAUSE) }
    }

    /// Publishes a retained message, if it is not what the broker retains.
    pub(super) fn publish_if_changed(&mut self, topic: String, payload: Vec<u8>, outputs: &mut Outputs) {
        if self.retained.get(&topic) != Some(&payload) {
            self.publish_always(topic, payload, outputs);
        }
    }

    /// Publishes a retained message, also when it reads like the one before.
    pub(super) fn publish_always(&mut self, topic: String, payload: Vec<u8>, outputs: &mut Outputs) {
        outputs.push(Output::State { topic: topic.clone(), payload: payload.clone() });
        self.retained.insert(topic, payload);
    }

    /// Notes what an earlier run left.
    pub(super) fn note_retained(&mut self, topic: &str, payload: &[u8]) {
        self.retained.insert(topic.to_owned(), payload.to_vec());
    }

    /// Clears a state for good, if the broker retains it.
    pub(super) fn clear_retained(&mut self, topic: &str, outputs: &mut Outputs) {
        if self.retained.remove(topic).is_some() {
            outputs.push(Output::Clear { topic: topic.to_owned() });
        }
    }

    /// Clears everything: nobody listens here any more.
    pub(super) fn clear_all(&mut self, outputs: &mut Outputs) {
        let topics: BTreeSet<String> = self.retained.drain().map(|(topic, _)| topic).collect();
        topics.into_iter().for_each(|topic| outputs.push(Output::Clear { topic }));
    }

    /// Publishes everything again, these first: the broker may have forgotten it, or somebody has come who did not hear it.
    pub(super) fn publish_again(&mut self, first: Vec<String>, now: Instant) {
        let firsts: HashSet<&String> = first.iter().collect();
        let rest: BTreeSet<String> = self.retained.keys().filter(|topic| !firsts.contains(topic)).cloned().collect();
        self.again = first.into_iter().chain(rest).collect();
        self.due = now;
    }

    /// When [`Publisher::publish_batch`] has to be called.
    pub(super) fn next_batch(&self) -> Option<Instant> {
        (!self.again.is_empty()).then_some(self.due)
    }

    /// Publishes the next batch of what is to be published again, as it is now. `elsewhere` returns what is not kept here.
    pub(super) fn publish_batch(
        &mut self,
        now: Instant,
        elsewhere: impl Fn(&str) -> Option<Vec<u8>>,
        outputs: &mut Outputs,
    ) {
        for topic in self.again.drain(..self.again.len().min(BATCH)) {
            if let Some(payload) = self.retained.get(&topic).cloned().or_else(|| elsewhere(&topic)) {
                outputs.push(Output::State { topic, payload });
            }
        }
        self.due = now + self.pause;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_again_comes_in_batches_the_first_ones_first() {
        let (mut publisher, mut outputs) = (Publisher::new(Pace::REAL), Outputs::default());
        for number in 0..45 {
            publisher.publish_if_changed(format!("topic/{number:02}"), b"payload".to_vec(), &mut outputs);
        }
        assert_eq!((outputs.drain().count(), publisher.next_batch()), (45, None));
        let mut now = Instant::START + Duration::from_secs(7);
        publisher.publish_again(vec!["topic/44".into(), "cleared/meanwhile".into()], now);
        let mut batches = Vec::new();
        while let Some(due) = publisher.next_batch() {
            assert_eq!(due.since(now), if batches.is_empty() { Duration::ZERO } else { PAUSE });
            now = due;
            publisher.publish_batch(now, |_| None, &mut outputs);
            batches.push(outputs.drain().collect::<Vec<_>>());
        }
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [19, 20, 6]);
        assert!(matches!(&batches[0][0], Output::State { topic, .. } if topic == "topic/44"));
    }

    #[test]
    fn a_pause_of_the_network_is_longer_on_a_clock_that_runs_faster() {
        let (mut publisher, mut outputs) = (Publisher::new(Pace::times(288.0)), Outputs::default());
        for number in 0..21 {
            publisher.publish_if_changed(number.to_string(), b"payload".to_vec(), &mut outputs);
        }
        publisher.publish_again(Vec::new(), Instant::START);
        publisher.publish_batch(Instant::START, |_| None, &mut outputs);
        assert_eq!(publisher.next_batch(), Some(Instant::START + PAUSE * 288));
    }
}
