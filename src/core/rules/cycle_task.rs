//! A task as one cycle sees it.

use crate::core::output::Action;
use crate::core::settings::Settings;
use crate::core::task::mode::Mode;
use crate::core::task::priority::Priority;
use crate::core::task::task::Task;
use crate::core::time::Instant;
use crate::units::Watts;

/// A task within one cycle.
#[derive(Debug)]
pub(crate) struct CycleTask<'a> {
    pub(crate) task: &'a Task,
    pub(crate) slot: usize,
    pub(crate) priority: Priority,
    pub(crate) adjustable: bool,
    pub(crate) power: Watts,
    /// It reports running, and nothing but the rules stops it in this cycle.
    pub(crate) running: bool,
    /// It is reachable and in mode `auto`: the rules may move it.
    pub(crate) movable: bool,
    /// It is none of the rules' and stays as it is: base load, which is never ignored.
    pub(crate) outside_rules: bool,
    /// It runs in mode `on`, or is about to: in records that it did not run in it counts at its `power`.
    pub(crate) counts_at_power: bool,
    /// It is stopped and may be started.
    pub(crate) runnable: bool,
    /// It runs and may be stopped.
    pub(crate) stoppable: bool,
    /// It runs and may be stopped, or could be if its `min_on` were over.
    pub(crate) stoppable_but_for_min_on: bool,
    /// Its stops had no effect: nobody waits for the next one.
    pub(crate) deaf: bool,
    /// The meter shows nothing of what it says that it uses: it is nobody else's to have.
    pub(crate) claim_doubted: bool,
    /// What is held for it while it runs and uses less.
    pub(crate) held_power: Watts,
    /// Unanswered starts keep it from being elected.
    pub(crate) blocked: bool,
    /// What an adjustable task was seen to be able to use.
    pub(crate) learned: Option<Watts>,
}

impl<'a> CycleTask<'a> {
    /// `directed`: what its mode or a guard has decided already.
    pub(crate) fn new(
        slot: usize,
        task: &'a Task,
        directed: Option<Action>,
        settings: &Settings,
        now: Instant,
    ) -> Self {
        let mode = task.mode();
        let reachable = task.is_reachable(now, settings);
        let stopped = directed == Some(Action::Stop);
        let running = task.running() && !stopped;
        let blocked = task.back_off().is_blocked(now);
        let starts = directed == Some(Action::Start) && !blocked;
        let (power, claim_doubted) = (task.power(), task.doubts.is_claim_doubted());
        let seen = if claim_doubted { Some(Watts::ZERO) } else { task.doubts.most_below_power() };
        Self {
            task,
            slot,
            priority: task.priority(),
            adjustable: task.adjustable(),
            power,
            running,
            movable: reachable && mode == Mode::Auto && !stopped,
            outside_rules: !reachable || mode == Mode::On || (mode == Mode::Off && running),
            counts_at_power: mode == Mode::On && (running || starts),
            runnable: !running && task.runnable(now),
            stoppable: running && task.stoppable(now),
            stoppable_but_for_min_on: running && task.stoppable_but_for_min_on(now),
            deaf: running && task.doubts.is_deaf(),
            claim_doubted,
            held_power: seen.filter(|_| running).unwrap_or(power),
            blocked,
            learned: task.learned,
        }
    }

    /// A running task that takes part in scheduling.
    pub(crate) fn takes_part(&self) -> bool {
        self.running && self.movable
    }

    /// A stopped task that could be started.
    pub(crate) fn is_candidate(&self) -> bool {
        self.movable && self.runnable
    }

    /// Nobody else may start on its keys, whatever the rules decide.
    pub(crate) fn keeps_keys(&self) -> bool {
        self.outside_rules && (self.running || self.task.mode() == Mode::On)
    }

    pub(crate) fn can_be_stopped(&self) -> bool {
        self.movable && self.stoppable
    }

    /// Stopping it leaves others what it uses.
    pub(crate) fn can_make_room(&self) -> bool {
        self.can_be_stopped() && !self.deaf && !self.claim_doubted
    }
}
