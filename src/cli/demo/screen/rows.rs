//! How the rows of a terminal are divided. What has least to say goes first where there are few.

use crate::simulate::Appliance;

/// Rows of the chart's surfaces. With fewer than the first number there is no chart.
const SHORTEST_CHART: usize = 3;
const TALLEST_CHART: usize = 12;

/// Events that are always wanted.
const FEWEST_EVENTS: usize = 2;

/// Rows that are always wanted: title, flows, a gap, the tasks, a gap, events, the totals.
const LEAST: usize = 2 + 1 + Appliance::ALL.len() + 1 + FEWEST_EVENTS + 1;

/// The rows of each part that may be left out or stretched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rows {
    /// Of the chart's surfaces; 0 means no chart at all.
    pub(super) surfaces: usize,
    /// Whether there is a lane for each appliance below the chart.
    pub(super) lanes: bool,
    pub(super) events: usize,
    /// Whether there is a hint below everything.
    pub(super) hint: bool,
}

impl Rows {
    /// Divides this height; `chart` says whether there is one that fits the width.
    pub(super) fn divide(height: usize, chart: bool) -> Self {
        let mut left = height.saturating_sub(LEAST);
        if !chart || left < SHORTEST_CHART + 1 {
            return Self { surfaces: 0, lanes: false, events: FEWEST_EVENTS + left, hint: false };
        }
        // The hours below the surfaces. The legend takes the place of the gap.
        left -= 1;
        let lanes = left >= SHORTEST_CHART + Appliance::ALL.len();
        left -= if lanes { Appliance::ALL.len() } else { 0 };
        let hint = left > 2 * SHORTEST_CHART + 2;
        left -= if hint { 2 } else { 0 };
        let surfaces = if hint { left.div_ceil(2) } else { left }.clamp(SHORTEST_CHART, TALLEST_CHART);
        Self { surfaces, lanes, events: FEWEST_EVENTS + left - surfaces, hint }
    }
}
