//! `sunward run --record` and what `sunward replay` makes of it. Every test that ends Sunward well plays its record,
//! too: see `home.rs`.

use std::path::Path;

use insta::assert_snapshot;
use serde_json::json;
use sunward::config::Protocol;
use sunward::service::{self, Recorder};

use crate::home::{Home, both, program};

/// A home in which everything happens that decides: records, states, a device, commands, a pause, a broker that goes.
async fn eventful(home: &mut Home) {
    home.register("heater", json!({"power": 2000, "keys": ["heater"]})).await;
    home.register(
        "pump",
        json!({"power": 500, "priority": "high", "criteria": {"start": "now.hour >= 0 and ratio > 0.5"}}),
    )
    .await;
    home.running("heater", false).await;
    home.running("pump", false).await;
    home.cycle_with(json!({"net": -2900})).await;
    home.running("heater", true).await;
    home.running("pump", true).await;
    home.cycle_with(json!({"net": 900, "heater": 2000})).await;
    home.running("heater", false).await;
    home.cut().await;
    home.cycle_with(json!({"net": -2500})).await;
    home.command("stop_all").await;
    home.cycle().await;
    home.command("resume").await;
    home.say("sunward/task/pump/config", "{}").await;
    home.say("sunward/power", [0xff, 0xfe]).await;
    home.cycle_with(json!({"net": -2500})).await;
}

#[tokio::test]
async fn a_recorded_run_plays_with_exactly_its_decisions_and_outputs() {
    both(async |protocol| {
        let mut home = Home::new(protocol, "").await;
        eventful(&mut home).await;
        let mut sunward = home.sunward.take().unwrap();
        assert!(sunward.stop().await.success(), "{}", sunward.log());
        let playback = sunward.play_again();
        let decisions: Vec<_> =
            playback.decisions.iter().map(|decided| format!("{} {}", decided.action, decided.task)).collect();
        assert!(decisions.starts_with(&["start pump".into(), "start heater".into()]), "{decisions:?}");
        assert!(decisions.contains(&"stop pump".into()), "{decisions:?}");
        assert_eq!((playback.runs, playback.recorded), (1, playback.decisions.clone()));
    })
    .await;
}

#[tokio::test]
async fn a_run_that_was_killed_is_readable_to_its_end() {
    let mut home = Home::new(Protocol::V5, "").await;
    eventful(&mut home).await;
    let mut sunward = home.sunward.take().unwrap();
    sunward.kill().await;
    let [file] = service::recorded_files(&sunward.record()).unwrap().try_into().unwrap();
    let text = std::fs::read(&file).unwrap();
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let whole = sunward.play_again();
    assert_eq!(whole.missing, Vec::<String>::new());
    // In the middle of a line, with zeros where nothing was written yet, with what else lay on the disk.
    let last = lines[lines.len() - 1];
    for end in [&last[..last.len() / 2], &[0; 4096], b"\0\0\0\n\xff\0", b"{\"at\":7}\n{}\n"] {
        std::fs::write(&file, [&lines[..lines.len() - 1].concat(), end].concat()).unwrap();
        let playback = sunward.play_again();
        assert!(playback.inputs + 1 >= whole.inputs && playback.decisions.len() > 2, "{playback:?}");
        let place = format!("{}, line {}: damaged from here to the end", file.display(), lines.len());
        assert!(playback.missing.len() == 1 && playback.missing[0].starts_with(&place), "{playback:?}");
    }
}

#[tokio::test]
async fn a_record_is_replayed_by_its_settings_or_by_others() {
    let mut home = Home::new(Protocol::V5, "").await;
    eventful(&mut home).await;
    let mut sunward = home.sunward.take().unwrap();
    assert!(sunward.stop().await.success(), "{}", sunward.log());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("sober.toml"), "[scheduler.criteria]\nstart = 2").unwrap();
    let record = sunward.record();
    let call = async |more: &[&str]| {
        let arguments = ["replay", record.to_str().unwrap()];
        let output = program(folder.path()).args(arguments).args(more).output().await.unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (status, said) = call(&["--journal", "journal.jsonl"]).await;
    assert!(status == 0 && said.ends_with("\nall as when it was recorded\n"), "{said}");
    assert!(said.contains(" start heater: ") && said.contains(" (elected)\n"), "{said}");
    let journal = std::fs::read_to_string(folder.path().join("journal.jsonl")).unwrap();
    assert_eq!(journal.lines().count() + 2, said.lines().count());
    let [file] = service::recorded_files(&record).unwrap().try_into().unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &[&std::fs::read(&file).unwrap()[..], &[0; 99]].concat()).unwrap();
    std::fs::write(folder.path().join("a.jsonl.gz"), packed.finish().unwrap()).unwrap();
    let output = program(folder.path()).args(["replay", "a.jsonl.gz"]).output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let end: Vec<&str> = said.lines().rev().take(2).collect();
    assert!(end[0] == "what is left is as when it was recorded" && end[1].starts_with("a.jsonl.gz, line "), "{said}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "what is over is not logged again");
    let (status, said) = call(&["-c", "sober.toml"]).await;
    assert!(status == 0 && said.contains(" differs: "), "{said}");
    // A picture of it there is not.
    assert_eq!(call(&["--html", "report.html"]).await, (2, String::new()));
}

#[tokio::test]
async fn any_output_that_is_another_is_a_difference_and_an_older_record_has_decisions_only() {
    let mut home = Home::new(Protocol::V5, "").await;
    eventful(&mut home).await;
    let mut sunward = home.sunward.take().unwrap();
    assert!(sunward.stop().await.success(), "{}", sunward.log());
    let [file] = service::recorded_files(&sunward.record()).unwrap().try_into().unwrap();
    let text = std::fs::read_to_string(file).unwrap();
    let play = |text: &str| service::play([Ok(("a.jsonl".to_owned(), text.as_bytes()))], None).unwrap();
    assert_eq!((play(&text).difference(), play(&text).not_compared), (None, None));
    // A command, a state in full, and a report of which only checksum and length are known.
    let report = r#"{"state":["sunward/task/heater/report",{"crc32":"#;
    let sum: String = text.split(report).nth(1).unwrap().chars().take_while(char::is_ascii_digit).collect();
    let (report, another) = (format!("{report}{sum},"), format!("{report}7,"));
    for (was, is) in [
        (r#"{"command":["sunward/task/pump/set","start"]}"#, r#"{"command":["sunward/task/pump/set","begin"]}"#),
        (r#"{"state":["sunward/task/heater/mode","auto"]}"#, r#"{"state":["sunward/task/heater/mode","on"]}"#),
        (&report, &another),
    ] {
        assert!(text.contains(was), "{was} in {text}");
        let difference = play(&text.replacen(was, is, 1)).difference();
        assert!(difference.as_ref().is_some_and(|said| said.starts_with("an output at ")), "{difference:?}");
    }
    let old: String =
        text.lines().filter(|line| !line.contains(r#""what":"outputs""#)).flat_map(|line| [line, "\n"]).collect();
    let playback = play(&old.replacen(r#","outputs":true"#, "", 1));
    assert_eq!((playback.difference(), playback.outputs), (None, 0));
    let why = "only decisions are compared: the version that recorded it wrote down no other outputs";
    assert_eq!(playback.not_compared.as_deref(), Some(why));
}

#[tokio::test]
async fn no_secret_is_recorded() {
    let toml = "mqtt.username = 'somebody'\nmqtt.password = 'correct-horse'";
    let mut home = Home::new(Protocol::V5, toml).await;
    let mut sunward = home.sunward.take().unwrap();
    assert!(sunward.stop().await.success(), "{}", sunward.log());
    for file in service::recorded_files(&sunward.record()).unwrap() {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(!text.contains("correct-horse") && !text.contains("somebody"), "{text}");
    }
}

#[test]
fn what_is_no_record_is_refused_with_its_line() {
    let read = |text: &str| {
        let file = Ok(("a.jsonl".to_owned(), text.as_bytes()));
        format!("{:#}", service::play([file], None).unwrap_err())
    };
    assert_snapshot!(read("time,net\n"), @"a.jsonl, line 1: expected a line of `sunward run --record`: expected ident at line 1 column 2");
    let start = "{\"at\":1,\"wall\":\"2026-01-01T00:00:00Z\",\"what\":\"start\",\"version\":\"1\",\"config\":{}}\n";
    assert_snapshot!(read(&format!("{start}\0\0\0\n{{\n{start}")), @"a.jsonl, line 2: expected a line of `sunward run --record`: expected value at line 1 column 1");
    assert_snapshot!(read(""), @"no run is recorded here: a.jsonl: it is empty");
    assert_snapshot!(read("\0\0\0"), @"no run is recorded here: a.jsonl, line 1: damaged from here to the end, as by a power cut: what came last is lost");
    assert_snapshot!(read("{\"at\":1,\"wall\":\"2026-01-01T00:00:00Z\",\"what\":\"cycle\"}\n"), @"a.jsonl, line 1: expected a start before everything else");
    let nowhere = service::recorded_files(tempfile::tempdir().unwrap().path()).unwrap_err();
    assert!(nowhere.to_string().ends_with("there are no files of `sunward run --record`"));
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error() {
    assert!(Recorder::new(Path::new("/proc/nothing/here")).is_err());
}
