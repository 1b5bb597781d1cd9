//! What Sunward would have done: a recorded time, simulated with the scheduler in charge. PURE: records in, report out.
//!
//! ```text
//! csv ─▶ History ─┐                             ┌─ Sunward (the scheduler)
//!                 ├─▶ RecordedHome ─▶ simulate ◀┤             ─▶ Diary, Totals ─▶ table, html, journal
//! plan ─▶ tasks ──┘                             └─ NaiveSwitch (thresholds)
//! ```
//!
//! The circuits of tasks are taken out of the record and replaced by models of the appliances. The rest of the home stays
//! as it was. Nothing here knows MQTT, the clock or files.

mod appliance;
mod calendar;
mod csv;
mod diary;
mod doubts;
mod history;
mod home;
mod html;
mod journal;
mod misfit;
mod naive;
mod plan;
mod run;
mod scenario;
mod simulation;
#[cfg(test)]
mod simulation_tests;
mod sunward;
mod table;
mod totals;

pub use csv::{CsvError, Format, Unit, read};
pub use history::{History, ReplayTime};
pub use home::{Gap, RecordedHome};
pub use html::html;
pub use journal::journal;
pub use misfit::Misfit;
#[cfg(test)]
pub(crate) use plan::FIELDS as TASK_FIELDS;
pub use plan::{Model, Need, PlannedTask, TimeWindow};
pub use run::{Contender, replay};
pub use scenario::Scenario;
pub use table::table;
pub use totals::{Energy, Prices, TaskTotals, Totals};
