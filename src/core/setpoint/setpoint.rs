//! What one task was sent as its set-point, and what it makes of it.

use std::time::Duration;

use crate::core::setpoint::range::{Range, Spare};
use crate::core::time::Instant;
use crate::units::Watts;

/// A meter may be so late, together with the charger that follows a set-point: ten seconds and five.
pub(crate) const LATENESS: Duration = Duration::from_secs(15);

/// A usage, and when the oldest part of it was measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MeasuredUsage {
    pub(crate) value: Watts,
    pub(crate) at: Instant,
}

/// What is known of a running task's usage.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Usage {
    Measured(MeasuredUsage),
    /// Its keys have no value that speaks of now.
    NotYet,
    /// It has no keys, and its state says nothing.
    Never,
}

/// What one task was sent, and what it makes of it.
#[derive(Debug, Default)]
pub(crate) struct Setpoint {
    in_force: Option<Watts>,
    sent: Option<Instant>,
    wanted: Option<Watts>,
    /// Since when it uses less than it may.
    short_since: Option<Instant>,
    limit: Option<Watts>,
    /// Its usage is among what the pool knows.
    regulated: bool,
}

impl Setpoint {
    /// As an earlier run left it.
    pub(crate) fn restore(&mut self, in_force: Watts) {
        self.in_force = Some(in_force);
        self.wanted = None;
    }

    pub(crate) fn in_force(&self) -> Option<Watts> {
        self.in_force
    }

    /// Nothing was sent yet, nor is to be.
    pub(crate) fn is_unset(&self) -> bool {
        self.in_force.is_none() && self.wanted.is_none()
    }

    /// To be sent when its time has come, unless it is in force already.
    pub(crate) fn want(&mut self, watts: Watts) {
        self.wanted = Some(watts).filter(|_| self.in_force != Some(watts));
    }

    /// To be sent if it is at least a step away from what is in force.
    pub(crate) fn move_to(&mut self, watts: Watts, step: Watts) {
        self.want(watts);
        if self.in_force.is_some_and(|in_force| (watts - in_force).abs() < step) {
            self.wanted = None;
        }
    }

    /// What is in force stays.
    pub(crate) fn keep(&mut self) {
        self.wanted = None;
    }

    /// When there is something to send.
    pub(crate) fn due(&self, interval: Duration) -> Option<Instant> {
        self.wanted.map(|_| self.sent.map_or(Instant::START, |sent| sent + interval))
    }

    /// Hands out what is to be sent now.
    pub(crate) fn send(&mut self, now: Instant) -> Option<Watts> {
        let wanted = self.wanted.take()?;
        self.in_force = Some(wanted);
        self.sent = Some(now);
        Some(wanted)
    }

    /// What a task that runs may be using: what was measured last, and what it was told while no measurement can speak of
    /// that yet.
    pub(crate) fn usage(&self, usage: Usage, least: Watts, charger_step: Watts) -> (Range, Spare) {
        let told = self.in_force.unwrap_or(least);
        let half = charger_step * 0.5;
        let one_below = Spare::new(charger_step, Watts::ZERO);
        match usage {
            Usage::Measured(measured) if self.sent.is_none_or(|sent| measured.at >= sent + LATENESS) => {
                (Range::exactly(measured.value), Spare::default())
            }
            Usage::Measured(measured) => (Range::exactly(measured.value).hull(Range::exactly(told)), one_below),
            Usage::NotYet => (Range::exactly(told), one_below),
            // On average it makes half a step less of what it was told.
            Usage::Never => (Range::exactly(told - half), Spare::new(half, half)),
        }
    }

    /// It is regulated from now on, or not. Returns whether that is new.
    pub(crate) fn regulate(&mut self, regulated: bool) -> bool {
        !std::mem::replace(&mut self.regulated, regulated) && regulated
    }

    /// Notices that a task doesn't take what it may (its battery is nearly full, its cable is thin), and that it does
    /// again.
    pub(crate) fn watch(&mut self, usage: Usage, charger_step: Watts, now: Instant) {
        let least = if self.limit.is_some() { charger_step * 0.5 } else { charger_step };
        let short = match (usage, self.in_force) {
            (Usage::Measured(measured), Some(told)) if told - measured.value >= least => Some(measured),
            _ => None,
        };
        let Some(measured) = short else {
            self.short_since = None;
            self.limit = None;
            return;
        };
        let since = *self.short_since.get_or_insert(now);
        let limit = measured.value + charger_step;
        let unlike = |known: Watts| (known - limit).abs() > charger_step * 0.5;
        if measured.at >= since + LATENESS && self.limit.is_none_or(unlike) {
            self.limit = Some(limit);
        }
    }

    /// What it takes at most, as far as that shows: one step of its charger more than it uses.
    pub(crate) fn limit(&self) -> Option<Watts> {
        self.limit
    }
}
