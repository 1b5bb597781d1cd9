//! The best that anybody could have done who knew the whole day beforehand.
//!
//! It is a linear program for each period: each task may take any power between nothing and its most in each row, its need
//! must be met by the end, and what the sun pays for is to be the largest. That is a flow from needs through rows to what
//! is left of the sun, so by duality the answer is the smallest cut: for some set of tasks, what the sun leaves them at
//! their most, and the whole need of the others. No schedule can do better; most can't reach it, as appliances that run
//! draw their power.

use sunward::replay::{Home, Moment};

/// What of the needs the sun can pay for at most, in watt-hours. All tasks must have the same periods.
pub(crate) fn most_by_sun(home: &Home) -> f64 {
    let needs: Vec<Vec<(Moment, f64)>> = (0..home.tasks().len()).map(|task| home.needs(task).collect()).collect();
    let most = home.tasks().map(|task| {
        let registration = &task.registration;
        registration.max_power.filter(|_| registration.auto_adjust).unwrap_or(registration.power).0
    });
    let most: Vec<f64> = most.collect();
    let history = home.history();
    let mut row = 0;
    let mut sum = 0.0;
    for period in 0..needs[0].len() {
        let end = needs[0].get(period + 1).map_or(home.span().1, |next| next.0);
        let mut rows = Vec::new();
        while row < history.rows() && history.begin(row) < end {
            let hours = history.begin(row).until(history.end(row)).as_secs_f64() / 3600.0;
            rows.extend(home.row(row).map(|(base, _)| (base.export().0, hours)));
            row += 1;
        }
        let needs: Vec<f64> = needs.iter().map(|needs| needs[period].1).collect();
        sum += smallest_cut(&needs, &most, &rows);
    }
    sum
}

fn smallest_cut(needs: &[f64], most: &[f64], rows: &[(f64, f64)]) -> f64 {
    let cuts = (0..1_u32 << needs.len()).map(|set| {
        let inside = |task: &usize| set & (1 << task) != 0;
        let cut: f64 = (0..needs.len()).filter(|task| !inside(task)).map(|task| needs[task]).sum();
        let together: f64 = (0..needs.len()).filter(inside).map(|task| most[task]).sum();
        cut + rows.iter().map(|(export, hours)| export.min(together) * hours).sum::<f64>()
    });
    cuts.fold(f64::INFINITY, f64::min)
}

#[test]
fn the_bound_is_what_can_be_done_and_no_more() {
    let check = |needs: &[f64], most: &[f64], export: &[f64], expect: f64| {
        let rows: Vec<(f64, f64)> = export.iter().map(|export| (*export, 1.0)).collect();
        assert!((smallest_cut(needs, most, &rows) - expect).abs() < 1e-9, "{needs:?} {most:?} {export:?}");
    };
    check(&[5000.0], &[2000.0], &[3000.0, 1000.0, 0.0], 3000.0);
    check(&[500.0], &[2000.0], &[3000.0, 1000.0, 0.0], 500.0);
    check(&[1000.0, 1000.0], &[1000.0, 1000.0], &[1500.0, 400.0], 1900.0);
    check(&[3000.0, 1000.0], &[1000.0, 1000.0], &[2000.0, 2000.0], 3000.0);
}
