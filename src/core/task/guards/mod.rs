//! What keeps a task from being switched, or makes it run, whatever the sun does.

pub(crate) mod back_off;
pub(crate) mod daily;
pub(crate) mod doubts;
pub(crate) mod finished;
pub(crate) mod lease;
pub(crate) mod manual_override;
pub(crate) mod switch_history;
pub(crate) mod today;
