//! The best that anybody could have done who knew everything beforehand.
//!
//! It is a linear program: each task may take any power between nothing and its most in each row in which it is there, its
//! need must be met by the end of each period, and what the sun pays for is to be the largest. That is a flow from needs
//! through rows to what is left of the sun, so by duality the answer is the smallest cut: for some set of needs, what the
//! sun leaves them at their most, and the whole of the others. No schedule can do better; most can't reach it, as appliances
//! that run draw their power.

use jiff::ZonedDateTime;
use jiff::tz::TimeZone;
use sunward::replay::{Model, RecordedHome};

/// What of the needs the sun can pay for at most, in watt-hours.
pub(crate) fn most_by_sun(home: &RecordedHome, time_zone: &TimeZone) -> f64 {
    let most = home.tasks().map(|task| {
        let registration = &task.registration;
        registration.max_power.filter(|_| registration.auto_adjust).unwrap_or(registration.power).0
    });
    let most: Vec<f64> = most.collect();
    let mut needs: Vec<_> = (0..most.len()).map(|task| home.needs(task).peekable()).collect();
    let mut cut = Cut::new(most.len());
    let history = home.history();
    for row in 0..history.rows() {
        for (task, needs) in needs.iter_mut().enumerate() {
            while let Some((_, need)) = needs.next_if(|(begin, _)| *begin <= history.begin(row)) {
                cut.need(task, need);
            }
        }
        let Some((base, _)) = home.row(row) else { continue };
        let hours = history.begin(row).until(history.end(row)).as_secs_f64() / 3600.0;
        let local = history.begin(row).timestamp().to_zoned_datetime(time_zone.clone());
        let there = home.tasks().zip(&most).map(|(task, most)| if is_there(&task.model, &local) { *most } else { 0.0 });
        cut.row(base.export().0 * hours, &there.map(|most| most * hours).collect::<Vec<_>>());
    }
    cut.smallest()
}

fn is_there(model: &Model, local: &ZonedDateTime) -> bool {
    let (today, now) = (local.weekday(), local.time());
    model.available.is_empty()
        || model.available.iter().any(|window| {
            let over_night = window.to <= window.from;
            let begun = window.days.contains(&today) && window.from <= now && (over_night || now < window.to);
            begun || (over_night && window.days.contains(&today.previous()) && now < window.to)
        })
}

/// The smallest cuts of what has passed, by the set of tasks whose present need lies inside.
struct Cut(Vec<f64>);

impl Cut {
    fn new(tasks: usize) -> Self {
        Self(vec![0.0; 1 << tasks])
    }

    /// A task has a new need: it may lie on either side, wherever the last one lay.
    fn need(&mut self, task: usize, need: f64) {
        let bit = 1 << task;
        for set in (0..self.0.len()).filter(|set| set & bit == 0) {
            let least = self.0[set].min(self.0[set | bit]);
            (self.0[set], self.0[set | bit]) = (least + need, least);
        }
    }

    /// So much sun, and what each task can take of it.
    fn row(&mut self, export: f64, most: &[f64]) {
        if export <= 0.0 {
            return;
        }
        for (set, least) in self.0.iter_mut().enumerate() {
            let together: f64 =
                most.iter().enumerate().filter(|(task, _)| set & (1 << task) != 0).map(|most| *most.1).sum();
            *least += export.min(together);
        }
    }

    fn smallest(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }
}

#[test]
fn the_bound_is_what_can_be_done_and_no_more() {
    let check = |needs: &[f64], most: &[f64], export: &[f64], expect: f64| {
        let mut cut = Cut::new(needs.len());
        needs.iter().enumerate().for_each(|(task, need)| cut.need(task, *need));
        export.iter().for_each(|export| cut.row(*export, most));
        assert!((cut.smallest() - expect).abs() < 1e-9, "{needs:?} {most:?} {export:?}");
    };
    check(&[5000.0], &[2000.0], &[3000.0, 1000.0, 0.0], 3000.0);
    check(&[500.0], &[2000.0], &[3000.0, 1000.0, 0.0], 500.0);
    check(&[1000.0, 1000.0], &[1000.0, 1000.0], &[1500.0, 400.0], 1900.0);
    check(&[3000.0, 1000.0], &[1000.0, 1000.0], &[2000.0, 2000.0], 3000.0);
}

#[test]
fn a_need_is_met_within_its_period() {
    let mut cut = Cut::new(2);
    cut.need(0, 3000.0);
    cut.need(1, 1000.0);
    cut.row(2000.0, &[1500.0, 1500.0]);
    cut.need(0, 500.0);
    cut.row(2000.0, &[1500.0, 1500.0]);
    // 1500 of the first 3000 are lost; the other task may wait for the second row.
    assert!((cut.smallest() - 3000.0).abs() < 1e-9, "{}", cut.smallest());
}
