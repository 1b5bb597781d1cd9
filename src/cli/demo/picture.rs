//! The whole picture of a moment, line by line, for a terminal of any size.
//!
//! PURE: it is given everything it shows. What has least to say goes first where there is little room.

use jiff::Timestamp;

use super::Times;
use super::chart::Chart;
use super::day::Day;
use super::seen::{Happening, Seen, What};
use super::text::{BOLD, Colour, DIM, Line, PLAIN, Style, coloured};
use crate::simulate::{Appliance, Flows, Ledger};
use crate::units::{KilowattHours, Share, Watts};

/// The home on this terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) colours: bool,
}

/// Everything that is shown.
pub(super) struct Picture<'a> {
    pub(super) now: Timestamp,
    pub(super) times: &'a Times,
    pub(super) sky: &'static str,
    pub(super) flows: Flows,
    pub(super) ledger: &'a Ledger,
    /// What each appliance says of itself.
    pub(super) notes: [String; Appliance::ALL.len()],
    pub(super) seen: &'a Seen,
    pub(super) day: &'a Day,
    /// Where the broker is.
    pub(super) broker: &'a str,
    /// Keys are read.
    pub(super) keys: bool,
}

/// From this width on there is room for the four powers in columns.
const ROOMY: usize = 70;

/// Rows of the surfaces: there are none below the first number.
const LOWEST: usize = 3;
const HIGHEST: usize = 12;

/// Rows that are always wanted: title, flows, a gap, the tasks, a gap, two happenings, the sums.
const LEAST: usize = 2 + 1 + Appliance::ALL.len() + 1 + 2 + 1;

/// How the rows of a terminal are divided.
struct Room {
    surfaces: usize,
    lanes: bool,
    happenings: usize,
    hint: bool,
}

impl Room {
    fn divide(height: usize, chart: bool) -> Self {
        let mut left = height.saturating_sub(LEAST);
        if !chart || left < LOWEST + 1 {
            return Self { surfaces: 0, lanes: false, happenings: 2 + left, hint: false };
        }
        // The hours below the surfaces.
        left -= 1;
        let lanes = left >= LOWEST + Appliance::ALL.len();
        left -= if lanes { Appliance::ALL.len() } else { 0 };
        let hint = left > 2 * LOWEST + 2;
        left -= if hint { 2 } else { 0 };
        let surfaces = if hint { left.div_ceil(2) } else { left }.clamp(LOWEST, HIGHEST);
        Self { surfaces, lanes, happenings: 2 + left - surfaces, hint }
    }
}

impl Picture<'_> {
    /// The lines, at most as many as there is room for.
    pub(super) fn lines(&self, frame: Frame) -> Vec<Line> {
        let chart = Chart::new(self.day, frame.width, frame.colours);
        let room = Room::divide(frame.height, chart.is_some());
        let mut lines = vec![self.title(frame.width), self.flows(frame.width)];
        match chart.filter(|_| room.surfaces > 0) {
            Some(chart) => {
                lines.extend(chart.surfaces(room.surfaces));
                lines.push(chart.hours(&self.times.zone));
                if room.lanes {
                    lines.extend(Appliance::ALL.map(|which| chart.lane(which)));
                }
                lines.push(chart.legend());
            }
            None => lines.push(Line::default()),
        }
        lines.extend(Appliance::ALL.map(|which| self.task(which)));
        lines.push(Line::default());
        lines.extend(self.happenings(room.happenings));
        lines.push(self.sums());
        if room.hint {
            lines.extend([Line::default(), self.hint(frame.width)]);
        }
        lines.truncate(frame.height);
        lines
    }

    fn title(&self, width: usize) -> Line {
        let local = self.now.to_zoned_datetime(self.times.zone.clone());
        let mut line = Line::default()
            .with(BOLD, "Sunward demo  ")
            .with(PLAIN, local.strftime("%a %-d %b  ").to_string())
            .with(BOLD, local.strftime("%H:%M").to_string())
            .with(PLAIN, format!("  {}  ", self.sky));
        match self.seen.state.as_str() {
            "" => line.push(DIM, "starting …"),
            "active" => {}
            "paused" => line.push(Style { bold: true, ..coloured(Colour::Yellow) }, "PAUSED"),
            other => line.push(coloured(Colour::Red), &other.replace('_', " ")),
        }
        let keys = match (self.keys, self.seen.is_paused()) {
            (false, _) => "",
            (true, false) => "p pause  q quit  ",
            (true, true) => "p resume  q quit  ",
        };
        let place = self.broker.trim_start_matches("mqtt://");
        let ends = [format!("{keys}{}", self.broker), format!("{keys}{place}"), place.to_owned()];
        match ends.iter().find(|end| line.width() + end.chars().count() < width) {
            Some(end) => line.beside(Line::default().with(DIM, end), width),
            None => line,
        }
    }

    fn flows(&self, width: usize) -> Line {
        // The columns stand still where there is room for them; where there isn't, all four are seen.
        let (base, column) = if width < ROOMY { ("base", 0) } else { ("base load", 11) };
        let net = self.flows.net();
        let (word, colour) = if net > Watts::ZERO { ("buying", Colour::Red) } else { ("selling", Colour::Yellow) };
        let entry = |line: Line, name: &str, style: Style, watts: Watts| {
            line.with(DIM, format!("{name} "))
                .with(style, format!("{:<column$}", power(watts)))
                .with(PLAIN, if column == 0 { "  " } else { "" })
        };
        let line = entry(Line::default(), "sun", Style { bold: true, ..coloured(Colour::Yellow) }, self.flows.solar);
        let line = entry(line, base, PLAIN, self.flows.base);
        let line = entry(line, "tasks", coloured(Colour::Cyan), self.flows.tasks());
        entry(line, word, Style { bold: true, ..coloured(colour) }, Watts(net.0.abs()))
    }

    fn task(&self, which: Appliance) -> Line {
        let at = which.index();
        let report = self.seen.reports.get(which.name()).cloned().unwrap_or_default();
        let (sign, style) = match report.status.as_str() {
            "running" => ("● ", Style { bold: true, ..coloured(Colour::Green) }),
            "stopped" => ("○ ", PLAIN),
            _ => ("· ", DIM),
        };
        let used = if self.flows.appliances[at] > Watts::ZERO { power(self.flows.appliances[at]) } else { "-".into() };
        let reason = match report.status.as_str() {
            "unrunnable" => DIM,
            _ => PLAIN,
        };
        Line::default()
            .with(style, sign)
            .with(style, which.name())
            .to(14)
            .with(style, format!("{used:>7}  "))
            .with(PLAIN, &self.notes[at])
            .to(36)
            .with(PLAIN, " ")
            .with(reason, &report.reason)
    }

    /// The newest at the bottom.
    fn happenings(&self, rows: usize) -> Vec<Line> {
        let happened = &self.seen.happened;
        let mut lines: Vec<Line> = happened
            .iter()
            .skip(happened.len().saturating_sub(rows))
            .map(|happening| told(happening, self.times))
            .collect();
        lines.resize(rows, Line::default());
        lines
    }

    fn sums(&self) -> Line {
        let Ledger { produced, imported, exported, .. } = self.ledger;
        let percent = |share: Option<Share>| {
            share.map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", (share.0 * 100.0).floor()))
        };
        let amount = |energy: KilowattHours| format!("{:.1}", energy.0);
        let line = Line::default().with(DIM, "made ").with(PLAIN, amount(*produced));
        let line = line.with(DIM, "  sold ").with(PLAIN, amount(*exported));
        let line = line.with(DIM, "  bought ").with(PLAIN, amount(*imported)).with(DIM, " kWh");
        let line = line.with(DIM, "  self-consumption ").with(BOLD, percent(self.ledger.self_consumption()));
        line.with(DIM, "  sufficiency ").with(BOLD, percent(self.ledger.self_sufficiency()))
    }

    fn hint(&self, width: usize) -> Line {
        let word = if self.seen.is_paused() { "resume" } else { "pause" };
        let call = format!("mosquitto_pub {}-t sunward/scheduler/set -m {word}", port(self.broker));
        // The end of the call is what has to be read.
        let room = width.saturating_sub(call.chars().count());
        let intro = ["Any MQTT client can join: ", "Join with ", ""].into_iter().find(|intro| intro.len() <= room);
        Line::default().with(DIM, intro.unwrap_or_default()).with(PLAIN, call)
    }
}

/// One happening, as lines and pictures show it.
pub(super) fn told(happening: &Happening, times: &Times) -> Line {
    let Happening { time, what, task, why } = happening;
    let local = time.to_zoned_datetime(times.zone.clone());
    let line = Line::default().with(DIM, local.strftime("%H:%M  ").to_string());
    let (word, colour) = match what {
        What::Start => ("start", Colour::Green),
        What::Stop => ("stop", Colour::Red),
        What::End => ("ends", Colour::Cyan),
        What::Scheduler => return line.with(BOLD, format!("Sunward is {}", why.replace('_', " "))),
    };
    line.with(coloured(colour), word).to(13).with(BOLD, format!("{task:<11} ")).with(PLAIN, why)
}

/// What `mosquitto_pub` needs to be told of the broker.
pub(super) fn port(broker: &str) -> String {
    match broker.rsplit_once(':') {
        Some((_, "1883")) | None => String::new(),
        Some((_, port)) => format!("-p {port} "),
    }
}

/// `412 W`, `6.42 kW`.
pub(super) fn power(watts: Watts) -> String {
    if watts.0 < 999.5 { watts.to_string() } else { format!("{:.2} kW", watts.0 / 1000.0) }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use jiff::SignedDuration;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::cli::demo::seen::Told;
    use crate::cli::demo::{CLOUDY, site};
    use crate::simulate::Home;

    /// A home at two in the afternoon, whose boiler, car and dishwasher were switched on in the morning.
    fn paint(frame: Frame) -> Vec<Line> {
        let begin: Timestamp = "2026-06-21T05:00:00Z".parse().unwrap();
        let end = begin + SignedDuration::from_hours(24);
        let times = Times { begin, end, zone: TimeZone::UTC, speed: 288.0 };
        let mut home = Home::new(CLOUDY, site(), times.zone.clone(), begin);
        let (mut day, mut seen, mut flows) = (Day::new(begin), Seen::default(), Flows::default());
        let state = json!({"state": "active", "since": "2026-06-21T05:01:00.000Z"});
        seen.take(Told::State(serde_json::from_value(state).unwrap()), begin);
        for minute in 0..9 * 60 {
            match minute {
                180 => home.switch(Appliance::Boiler, true),
                460 => {
                    let reason = json!({"task": "ev", "rule": "elected", "reason": "4 kW are available"});
                    let report = json!({"time": "2026-06-21T12:40:00.000Z", "started": [reason], "stopped": []});
                    seen.take(Told::Cycle(serde_json::from_value(report).unwrap()), begin);
                    home.switch(Appliance::Ev, true);
                    home.limit(Appliance::Ev, Watts(4000.0));
                }
                330 => home.switch(Appliance::Dishwasher, true),
                _ => {}
            }
            flows = home.advance(begin + SignedDuration::from_mins(minute));
            day.add(home.now(), home.ledger());
        }
        for which in Appliance::ALL {
            let status = if home.status(which).running { "running" } else { "unrunnable" };
            let report = json!({"status": status, "reason": "it has a reason with many, many words in it"});
            seen.take(Told::Report(which.name().to_owned(), serde_json::from_value(report).unwrap()), begin);
        }
        let picture = Picture {
            now: home.now(),
            times: &times,
            sky: home.clouds().word(),
            flows,
            ledger: home.ledger(),
            notes: Appliance::ALL.map(|which| home.status(which).note),
            seen: &seen,
            day: &day,
            broker: "mqtt://127.0.0.1:40123",
            keys: true,
        };
        picture.lines(frame)
    }

    fn painted(width: usize, height: usize) -> String {
        let frame = Frame { width, height, colours: false };
        let lines: Vec<String> =
            paint(frame).iter().map(|line| line.render(width, false).trim_end().to_owned()).collect();
        lines.join("\n")
    }

    #[test]
    fn the_usual_terminal_shows_the_whole_home() {
        assert_snapshot!(painted(80, 24), @"
        Sunward demo  Sun 21 Jun  13:59  a few clouds   p pause  q quit  127.0.0.1:40123
        sun 4.60 kW    base load 233 W      tasks 3.91 kW    selling 458 W
               7 kW
                                 ░░▒░░ ░  ▒
                          ░  ░ ░░░░░░░░░░▒█░█░
                        ░░░░░░ ░░░░░░░░░░░████
                     ░░░░░░░░████████░░░░█████
                    ░░░░░░░░█████████░░███████
                    05      08      11       14      17      20       23      02
        boiler      ········━━━━━━━━━·········
        ev          ·····················━━━━━
        pool        ··························
        dishwasher  ···············━━━━━━━····
        washer      ··························
                    █ sun, used at home   ░ sun, sold   ▒ bought
        · boiler            -  59 °C         it has a reason with many, many words in it
        ● ev          3.91 kW  34 %, 17 A    it has a reason with many, many words in it
        · pool              -  0 h 00 today  it has a reason with many, many words in it
        · dishwasher        -  empty         it has a reason with many, many words in it
        · washer            -  loaded        it has a reason with many, many words in it

        05:01  Sunward is active
        12:40  start ev          4 kW are available (elected)
        made 38.2  sold 24.0  bought 1.1 kWh  self-consumption 37 %  sufficiency 93 %
        ");
    }

    #[test]
    fn a_small_one_shows_what_matters_most() {
        assert_snapshot!(painted(60, 12), @"
        Sunward demo  Sun 21 Jun  13:59  a few clouds
        sun 4.60 kW  base 233 W  tasks 3.91 kW  selling 458 W

        · boiler            -  59 °C         it has a reason with m…
        ● ev          3.91 kW  34 %, 17 A    it has a reason with m…
        · pool              -  0 h 00 today  it has a reason with m…
        · dishwasher        -  empty         it has a reason with m…
        · washer            -  loaded        it has a reason with m…

        05:01  Sunward is active
        12:40  start ev          4 kW are available (elected)
        made 38.2  sold 24.0  bought 1.1 kWh  self-consumption 37 %…
        ");
    }

    #[test]
    fn the_call_that_pauses_can_be_copied_from_the_usual_width() {
        let said = painted(80, 30);
        assert_eq!(said.lines().last().unwrap(), "Join with mosquitto_pub -p 40123 -t sunward/scheduler/set -m pause");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn every_terminal_is_filled_and_none_overflows(width in 1..200_usize, height in 1..80_usize, colours: bool) {
            let frame = Frame { width, height, colours };
            let lines = paint(frame);
            prop_assert_eq!(lines.len(), height);
            for line in lines {
                prop_assert!(line.render(width, false).chars().count() <= width);
                prop_assert_eq!(line.render(width, true).contains('\x1b'), line.render(width, true) != line.render(width, false));
            }
        }
    }
}
