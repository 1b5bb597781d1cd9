//! What comes out of the year, and what did not look right.
//!
//! Refuses to judge: it counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use crate::record::{CIRCUITS, Hour};

/// Oddities that are printed; the others are counted.
const MOST: usize = 20;

#[derive(Default, Clone)]
struct Account {
    starts: BTreeMap<String, usize>,
    stops: BTreeMap<String, usize>,
    ended: usize,
    /// Stops within an hour after the start.
    hasty: usize,
    started_at: Option<usize>,
    wanted: f64,
    drawn: f64,
    covered: f64,
    recorded: f64,
    recorded_covered: f64,
    longest_wait: usize,
    left: f64,
}

/// See the module.
pub(crate) struct Ledger {
    accounts: [Account; 4],
    together: Account,
    steps: usize,
    began: Instant,
    took: Duration,
    unanswered: u64,
    oddities: Vec<String>,
    more_oddities: usize,
}

/// What of `usage` the sun paid for while the meter showed `net`, as SPEC section 4 has it.
fn covered(usage: f64, net: f64) -> f64 {
    usage.min((usage - net).max(0.0))
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            accounts: std::array::from_fn(|_| Account::default()),
            together: Account::default(),
            steps: 0,
            began: Instant::now(),
            took: Duration::ZERO,
            unanswered: 0,
            oddities: Vec::new(),
            more_oddities: 0,
        }
    }

    pub(crate) fn wanted(&mut self, task: usize, energy: f64) {
        self.accounts[task].wanted += energy;
        self.together.wanted += energy;
    }

    /// An hour is over: what the tasks drew while the meter showed `net`.
    pub(crate) fn hour(&mut self, recorded: &Hour, drawn: [f64; 4], net: f64) {
        self.steps += 1;
        for (account, (drawn, before)) in self.accounts.iter_mut().zip(drawn.into_iter().zip(recorded.circuits)) {
            account.add(drawn, net, before, recorded.net);
        }
        self.together.add(drawn.iter().sum(), net, recorded.circuits.iter().sum(), recorded.net);
    }

    pub(crate) fn waited(&mut self, task: usize, hours: usize) {
        let account = &mut self.accounts[task];
        account.longest_wait = account.longest_wait.max(hours);
        self.together.longest_wait = self.together.longest_wait.max(hours);
    }

    pub(crate) fn started(&mut self, task: usize, rule: &str, now: usize) {
        let account = &mut self.accounts[task];
        *account.starts.entry(rule.to_owned()).or_default() += 1;
        account.started_at = Some(now);
    }

    pub(crate) fn stopped(&mut self, task: usize, rule: &str, now: usize) {
        let account = &mut self.accounts[task];
        *account.stops.entry(rule.to_owned()).or_default() += 1;
        if account.started_at.is_some_and(|started| now - started <= 1) {
            account.hasty += 1;
        }
    }

    pub(crate) fn ended(&mut self, task: usize) {
        self.accounts[task].ended += 1;
    }

    pub(crate) fn unanswered(&mut self, count: u64) {
        self.unanswered = self.unanswered.max(count);
    }

    pub(crate) fn odd(&mut self, what: String) {
        if self.oddities.len() < MOST {
            self.oddities.push(what);
        } else {
            self.more_oddities += 1;
        }
    }

    /// The year is over; `left` is what each task still lacks.
    pub(crate) fn close(&mut self, left: [f64; 4]) {
        self.took = self.began.elapsed();
        // An empty sum is -0.
        let left = left.map(|left| left + 0.0);
        self.together.left = left.iter().sum();
        for (account, left) in self.accounts.iter_mut().zip(left) {
            account.left = left;
        }
    }
}

impl Account {
    fn add(&mut self, drawn: f64, net: f64, before: f64, net_before: f64) {
        self.drawn += drawn;
        self.covered += covered(drawn, net);
        self.recorded += before;
        self.recorded_covered += covered(before, net_before);
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_energy(f)?;
        writeln!(f)?;
        self.write_switches(f)?;
        let seconds = self.took.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a year has 8,784 steps")]
        let pace = self.steps as f64 / seconds.max(f64::MIN_POSITIVE);
        writeln!(f, "\n{} steps in {seconds:.1} s: {pace:.0} a second", self.steps)?;
        writeln!(f, "most unanswered starts of a task at a time: {}", self.unanswered)?;
        writeln!(f, "inconsistent: {}", self.oddities.len() + self.more_oddities)?;
        for oddity in &self.oddities {
            writeln!(f, "  {oddity}")?;
        }
        Ok(())
    }
}

impl Ledger {
    fn write_energy(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<16}{:>10}{:>10}{:>9}{:>9}{:>14}{:>14}{:>12}",
            "watt-hours", "wanted", "drawn", "by sun", "left", "recorded", "by sun then", "waited, h"
        )?;
        let rows = CIRCUITS.iter().zip(&self.accounts).chain([(&"together", &self.together)]);
        for (name, account) in rows {
            writeln!(
                f,
                "{name:<16}{:>10.0}{:>10.0}{:>8.1}%{:>9.0}{:>14.0}{:>13.1}%{:>12}",
                account.wanted,
                account.drawn,
                100.0 * account.covered / account.drawn.max(1.0),
                account.left,
                account.recorded,
                100.0 * account.recorded_covered / account.recorded.max(1.0),
                account.longest_wait
            )?;
        }
        Ok(())
    }

    fn write_switches(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = |of: fn(&Account) -> &BTreeMap<String, usize>| -> BTreeSet<&str> {
            self.accounts.iter().flat_map(|account| of(account).keys().map(String::as_str)).collect()
        };
        let (starts, stops) = (rules(|account| &account.starts), rules(|account| &account.stops));
        let mut rows: Vec<(String, Vec<usize>)> = Vec::new();
        let mut row = |name: String, of: &dyn Fn(&Account) -> usize| {
            rows.push((name, self.accounts.iter().map(of).collect()));
        };
        for rule in starts {
            row(format!("start {rule}"), &|account| account.starts.get(rule).copied().unwrap_or_default());
        }
        for rule in stops {
            row(format!("stop {rule}"), &|account| account.stops.get(rule).copied().unwrap_or_default());
        }
        row("ended by itself".into(), &|account| account.ended);
        row("stopped after an hour".into(), &|account| account.hasty);
        write!(f, "{:<30}", "switches")?;
        for name in CIRCUITS.iter().chain(&["together"]) {
            write!(f, "{name:>17}")?;
        }
        writeln!(f)?;
        for (name, counts) in rows {
            write!(f, "{name:<30}")?;
            for count in counts.iter().chain([&counts.iter().sum()]) {
                write!(f, "{count:>17}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
