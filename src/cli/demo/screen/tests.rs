//! What is painted, at several sizes.

use insta::assert_snapshot;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use serde_json::json;

use super::picture::{Picture, PictureOptions};
use crate::cli::demo::arguments::DEFAULT_SEED;
use crate::cli::demo::day::DayHistory;
use crate::cli::demo::place::site;
use crate::cli::demo::scheduler_view::{SchedulerMessage, SchedulerView};
use crate::cli::demo::times::Times;
use crate::simulate::{Appliance, Flows, SimulatedHome};
use crate::units::Watts;

/// A home at two in the afternoon, whose boiler, car and dishwasher were switched on in the morning.
fn paint(width: u16, height: u16, colours: bool) -> TestBackend {
    let begin: Timestamp = "2026-06-21T05:00:00Z".parse().unwrap();
    let end = begin + SignedDuration::from_hours(24);
    let times = Times { begin, end, zone: TimeZone::UTC, speed: 288.0 };
    let mut home = SimulatedHome::new(DEFAULT_SEED, site(), times.zone.clone(), begin);
    let (mut day, mut flows) = (DayHistory::new(begin), Flows::default());
    let mut scheduler = SchedulerView::default();
    let mut update = |message| scheduler.update(message, begin);
    update(SchedulerMessage::State(
        serde_json::from_value(json!({"state": "active", "since": "2026-06-21T05:01:00.000Z"})).unwrap(),
    ));
    for minute in 0..9 * 60 {
        match minute {
            180 => home.switch(Appliance::Boiler, true),
            330 => home.switch(Appliance::Dishwasher, true),
            460 => {
                let reason = json!({"task": "ev", "rule": "elected", "reason": "4 kW are available"});
                let report = json!({"time": "2026-06-21T12:40:00.000Z", "started": [reason], "stopped": []});
                update(SchedulerMessage::Cycle(serde_json::from_value(report).unwrap()));
                home.switch(Appliance::Ev, true);
                home.limit(Appliance::Ev, Watts(4000.0));
            }
            _ => {}
        }
        flows = home.advance(begin + SignedDuration::from_mins(minute));
        day.add(home.now(), home.ledger());
    }
    for which in Appliance::ALL {
        let status = if home.status(which).running { "running" } else { "unrunnable" };
        let report = json!({"status": status, "reason": "it has a reason with many, many words in it"});
        update(SchedulerMessage::Report(which.name().to_owned(), serde_json::from_value(report).unwrap()));
    }
    let picture = Picture {
        now: home.now(),
        times: &times,
        sky: home.clouds().word(),
        flows,
        ledger: home.ledger(),
        statuses: &Appliance::ALL.map(|which| home.status(which)),
        scheduler: &scheduler,
        day: &day,
        broker: "mqtt://127.0.0.1:40123",
    };
    let options = PictureOptions { colours, keys: true };
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| picture.render(frame.area(), frame.buffer_mut(), options)).unwrap();
    terminal.backend().clone()
}

fn rows(buffer: &Buffer) -> Vec<String> {
    let row = |cells: &[Cell]| cells.iter().map(Cell::symbol).collect::<String>().trim_end().to_owned();
    buffer.content.chunks(buffer.area.width.into()).map(row).collect()
}

#[test]
fn the_usual_terminal_shows_the_whole_home() {
    assert_snapshot!(paint(80, 24, false), @r#"
    "Sunward demo  Sun 21 Jun  13:59  a few clouds   p pause  q quit  127.0.0.1:40123"
    "sun 4.60 kW    base load 233 W      tasks 3.91 kW    selling 458 W              "
    "       7 kW                                                                     "
    "                         ░░▒░░ ░  ▒                                             "
    "                  ░  ░ ░░░░░░░░░░▒█░█░                                          "
    "                ░░░░░░ ░░░░░░░░░░░████                                          "
    "             ░░░░░░░░████████░░░░█████                                          "
    "            ░░░░░░░░█████████░░███████                                          "
    "            05      08      11       14      17      20       23      02        "
    "boiler      ········━━━━━━━━━·········                                          "
    "ev          ·····················━━━━━                                          "
    "pool        ··························                                          "
    "dishwasher  ···············━━━━━━━····                                          "
    "washer      ··························                                          "
    "            █ sun, used at home   ░ sun, sold   ▒ bought                        "
    "· boiler            -  59 °C         it has a reason with many, many words in it"
    "● ev          3.91 kW  34 %, 17 A    it has a reason with many, many words in it"
    "· pool              -  0 h 00 today  it has a reason with many, many words in it"
    "· dishwasher        -  empty         it has a reason with many, many words in it"
    "· washer            -  loaded        it has a reason with many, many words in it"
    "                                                                                "
    "05:01  Sunward is active                                                        "
    "12:40  start ev          4 kW are available (elected)                           "
    "made 38.2  sold 24.0  bought 1.1 kWh  self-consumption 37 %  sufficiency 93 %   "
    "#);
}

#[test]
fn a_large_one_also_says_how_to_join() {
    assert_snapshot!(paint(120, 40, true), @r#"
    "Sunward demo  Sun 21 Jun  13:59  a few clouds                                    p pause  q quit  mqtt://127.0.0.1:40123"
    "sun 4.60 kW    base load 233 W      tasks 3.91 kW    selling 458 W                                                      "
    "       8 kW                          ▁  ▂                                                                               "
    "                                 ▂ ▇ █  █                                                                               "
    "                              ▅ ▆█ █ █  █ ▄    ▄▃                                                                       "
    "                          ▆   █ ██ █ █▄▃█ █▅▄ ▁█▂ ▄                                                                     "
    "                     ▃▅   █▃  █ ██ █▄█▄██ ███ █▄█▇▂▁▁                                                                   "
    "                   ▃▁██▁ ▄██  █▇██ ██████▁███▅▂██▅███                                                                   "
    "                ▂▅██▆███ ███▂▁████▆██████████████████                                                                   "
    "             ▃▅█████████▇█▅▆▅▅▆▆▆▆▆▆▆█▃████▁█████████                                                                   "
    "            █████████████▅██████████████████▄████████                                                                   "
    "            ▂▁▁▂▂▁▂▂▅▂▅▁▂██████████████▃▄▃▃██▂███████                                                                   "
    "            05           08           11            14           17           20            23           02             "
    "boiler      ·············━━━━━━━━━━━━━━··············                                                                   "
    "ev          ··································━━━━━━━                                                                   "
    "pool        ·········································                                                                   "
    "dishwasher  ························━━━━━━━━━━━······                                                                   "
    "washer      ·········································                                                                   "
    "            █ sun, used at home   █ sun, sold   █ bought                                                                "
    "· boiler            -  59 °C         it has a reason with many, many words in it                                        "
    "● ev          3.91 kW  34 %, 17 A    it has a reason with many, many words in it                                        "
    "· pool              -  0 h 00 today  it has a reason with many, many words in it                                        "
    "· dishwasher        -  empty         it has a reason with many, many words in it                                        "
    "· washer            -  loaded        it has a reason with many, many words in it                                        "
    "                                                                                                                        "
    "05:01  Sunward is active                                                                                                "
    "12:40  start ev          4 kW are available (elected)                                                                   "
    "                                                                                                                        "
    "                                                                                                                        "
    "                                                                                                                        "
    "                                                                                                                        "
    "                                                                                                                        "
    "                                                                                                                        "
    "                                                                                                                        "
    "                                                                                                                        "
    "                                                                                                                        "
    "                                                                                                                        "
    "made 38.2  sold 24.0  bought 1.1 kWh  self-consumption 37 %  sufficiency 93 %                                           "
    "                                                                                                                        "
    "Any MQTT client can join: mosquitto_pub -p 40123 -t sunward/scheduler/set -m pause                                      "
    "#);
}

#[test]
fn a_small_one_shows_what_matters_most() {
    assert_snapshot!(paint(60, 12, false), @r#"
    "Sunward demo  Sun 21 Jun  13:59  a few clouds               "
    "sun 4.60 kW  base 233 W  tasks 3.91 kW  selling 458 W       "
    "                                                            "
    "· boiler            -  59 °C         it has a reason with m…"
    "● ev          3.91 kW  34 %, 17 A    it has a reason with m…"
    "· pool              -  0 h 00 today  it has a reason with m…"
    "· dishwasher        -  empty         it has a reason with m…"
    "· washer            -  loaded        it has a reason with m…"
    "                                                            "
    "05:01  Sunward is active                                    "
    "12:40  start ev          4 kW are available (elected)       "
    "made 38.2  sold 24.0  bought 1.1 kWh  self-consumption 37 %…"
    "#);
}

#[test]
fn all_four_powers_are_seen_on_a_narrow_terminal() {
    let powers = &rows(paint(60, 20, true).buffer())[1];
    assert_eq!(powers, "sun 4.60 kW  base 233 W  tasks 3.91 kW  selling 458 W");
}

#[test]
fn the_call_that_pauses_can_be_copied_from_the_usual_width() {
    let rows = rows(paint(80, 30, false).buffer());
    assert_eq!(rows.last().unwrap(), "Join with mosquitto_pub -p 40123 -t sunward/scheduler/set -m pause");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn every_terminal_is_filled(width in 1..200_u16, height in 1..80_u16, colours: bool) {
        // A cell outside of the terminal would be a panic.
        let painted = paint(width, height, colours);
        let rows = rows(painted.buffer());
        prop_assert!(rows[0].starts_with('S') || width == 1);
        if height >= 12 {
            // Totals, or the hint below them.
            prop_assert!(!rows[usize::from(height) - 1].is_empty());
        }
        let is_styled = painted.buffer().content.iter().any(|cell| cell.style() != Cell::EMPTY.style());
        prop_assert_eq!(is_styled, colours);
    }
}
