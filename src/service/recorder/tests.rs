//! Files of a recorder: what is in them, and which are kept.

use std::fs::File;
use std::io::BufReader;
use std::time::Duration;

use jiff::Timestamp;

use super::super::input::Timer;
use super::*;
use crate::core::Instant;
use crate::mqtt::Message;
use crate::service::record_format::Payload;
use crate::service::{Playback, play, recorded_files};

const OWN_CYCLE: &str = "sunward/scheduler/cycle";

/// Writes so many meter records, after a task has registered, and lets nobody decide.
fn record(folder: &Path, records: u64) {
    let mut recorder = Recorder::new(folder).unwrap().with_largest_file(2_000);
    let begin = Now { at: Instant::START + Duration::from_secs(9), wall: "2026-01-01T00:00:00Z".parse().unwrap() };
    recorder.start(&Config::default(), OWN_CYCLE.into(), begin);
    let message = |topic: &str, payload: String| {
        let retain = topic.ends_with("config");
        Input::Incoming(Incoming::Message(Message { topic: topic.into(), payload: payload.into_bytes(), retain }))
    };
    let mut inputs = vec![Input::Incoming(Incoming::Subscribed)];
    inputs.push(message("sunward/task/heater/config", "{\"power\": 500, \"expire_after\": \"1d\"}".into()));
    inputs.push(message("sunward/task/heater/state", "OFF".into()));
    inputs.push(Input::Timer(Timer::Settle));
    for number in 0..records {
        inputs.push(message("sunward/power", format!("{{\"net\": -{}}}", 600 + number)));
        inputs.push(Input::Timer(Timer::Cycle));
    }
    for (number, input) in (1..).zip(inputs) {
        let now = begin + number * Duration::from_secs(30);
        recorder.input(now, &input);
    }
}

fn played(files: Vec<PathBuf>) -> Playback {
    let files = files.into_iter().map(|path| Ok((path.display().to_string(), BufReader::new(File::open(path)?))));
    play(files, None).unwrap()
}

#[test]
fn what_sunward_says_itself_is_not_recorded_and_what_an_earlier_run_left_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::new(folder.path()).unwrap();
    let now = Now { at: Instant::START, wall: Timestamp::UNIX_EPOCH };
    recorder.start(&Config::default(), OWN_CYCLE.into(), now);
    recorder.outputs(now, &[Output::State { topic: OWN_CYCLE.into(), payload: "now".into() }]);
    for (payload, retain) in [("before", true), ("now", false), ("another Sunward's", false)] {
        let message = Message { topic: OWN_CYCLE.into(), payload: payload.into(), retain };
        recorder.input(now, &Input::Incoming(Incoming::Message(message)));
    }
    recorder.input(now, &Input::Timer(Timer::Settle));
    drop(recorder);
    let text = std::fs::read_to_string(&recorded_files(folder.path()).unwrap()[0]).unwrap();
    let messages: Vec<&str> = text.lines().filter(|line| line.contains("\"what\":\"message\"")).collect();
    assert!(messages.len() == 2 && messages[0].contains("before") && messages[1].contains("another"), "{text}");
}

#[test]
fn files_are_ended_and_the_oldest_go() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), 200);
    let files = recorded_files(folder.path()).unwrap();
    assert_eq!(files.len(), MOST_FILES);
    let total: u64 = files.iter().map(|file| file.metadata().unwrap().len()).sum();
    assert!(total < 8 * 5_000, "{total} bytes");
}

#[test]
fn several_files_of_one_run_are_one_run() {
    let [one, many] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    record(one.path(), 4);
    record(many.path(), 30);
    let files = recorded_files(many.path()).unwrap();
    assert!(recorded_files(one.path()).unwrap().len() == 1 && files.len() > 3);
    let playback = played(files.clone());
    assert_eq!((playback.runs, playback.inputs, playback.cut, playback.missing), (1, 64, false, Vec::<String>::new()));
    // The plug never answers, so it is asked three times, and once more after ten minutes.
    let starts = playback.decisions.iter().filter(|decided| decided.task == "heater").count();
    assert_eq!(starts, 4);
    let playback = played([&files[..1], &files[2..]].concat());
    assert!(playback.cut && playback.runs == 1, "{playback:?}");
    let lost = "the file before it is missing, and with it what this was decided on";
    assert_eq!(playback.missing, [format!("{}: {lost}", files[2].display())]);
}

#[test]
fn what_is_carried_over_has_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::new(folder.path()).unwrap();
    let now = Now { at: Instant::START, wall: Timestamp::UNIX_EPOCH };
    let carry = |recorder: &mut Recorder, topic: &str, bytes: usize| {
        let what = What::Message { topic: topic.into(), payload: Payload(vec![b' '; bytes]), retain: true };
        recorder.carry(Line::new(now, what));
    };
    for _ in 0..2 {
        (0..9).for_each(|topic| carry(&mut recorder, &topic.to_string(), MOST_CARRIED / 8));
        assert_eq!((recorder.carried.len(), recorder.carrying), (7, 7 * (MOST_CARRIED / 8 + 1)));
    }
    carry(&mut recorder, "0", 0);
    carry(&mut recorder, "8", MOST_CARRIED / 8);
    assert_eq!(recorder.carried.len(), 8, "there is room again");
}

#[test]
fn a_clock_that_was_not_set_costs_no_file_that_is_written() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), 200);
    let mut recorder = Recorder::new(folder.path()).unwrap();
    recorder.start(&Config::default(), OWN_CYCLE.into(), Now { at: Instant::START, wall: Timestamp::UNIX_EPOCH });
    let files = recorded_files(folder.path()).unwrap();
    assert_eq!(files.len(), MOST_FILES);
    assert!(files[0].to_string_lossy().contains("sunward-19700101T"), "{files:?}");
}

#[test]
fn a_later_file_can_be_read_alone() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), 30);
    let last = recorded_files(folder.path()).unwrap().pop().unwrap();
    let playback = played(vec![last]);
    assert!(playback.decisions.iter().any(|decided| decided.task == "heater"), "its registration was carried over");
    assert!(playback.cut);
}

/// Feeds messages from a second on, one each second, and returns what was played of all files of a folder.
fn go_on(recorder: &mut Recorder, seconds: std::ops::Range<u64>) {
    for second in seconds {
        let begin = Now { at: Instant::START, wall: "2026-01-01T00:00:00Z".parse().unwrap() };
        let payload = format!("{{\"net\": -{second}}}").into_bytes();
        let message = Message { topic: "sunward/power".into(), payload, retain: false };
        recorder.input(begin + Duration::from_secs(second), &Input::Incoming(Incoming::Message(message)));
    }
}

fn begun(folder: &Path) -> Recorder {
    let mut recorder = Recorder::new(folder).unwrap();
    let now = Now { at: Instant::START, wall: "2026-01-01T00:00:00Z".parse().unwrap() };
    recorder.start(&Config::default(), OWN_CYCLE.into(), now);
    go_on(&mut recorder, 1..5);
    recorder
}

#[test]
fn a_folder_that_was_deleted_is_made_again_and_the_record_says_that_it_lacks_something() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("record");
    let mut recorder = begun(&folder);
    std::fs::remove_dir_all(&folder).unwrap();
    go_on(&mut recorder, 5..9);
    let files = recorded_files(&folder).unwrap();
    assert_eq!(files.len(), 1);
    let playback = played(files);
    assert_eq!((playback.inputs, playback.cut), (5, true), "the last of the topic, and what came since: {playback:?}");
}

#[test]
fn a_file_that_was_moved_is_whole_and_the_next_one_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let (folder, elsewhere) = (home.path().join("record"), home.path().join("elsewhere"));
    let mut recorder = begun(&folder);
    // A whole folder, then a file in whose place there is another.
    std::fs::rename(&folder, &elsewhere).unwrap();
    go_on(&mut recorder, 5..9);
    let second = recorded_files(&folder).unwrap().remove(0);
    let moved = elsewhere.join(second.file_name().unwrap());
    std::fs::rename(&second, &moved).unwrap();
    std::fs::write(&second, "another program's").unwrap();
    go_on(&mut recorder, 9..12);
    std::fs::remove_file(&second).unwrap();
    let files = [recorded_files(&elsewhere).unwrap(), recorded_files(&folder).unwrap()].concat();
    assert_eq!(files.len(), 3);
    let playback = played(files);
    assert_eq!((playback.inputs, playback.cut, playback.missing), (11, false, Vec::new()));
}

#[test]
fn where_nothing_can_be_written_it_is_tried_again_every_minute() {
    let home = tempfile::tempdir().unwrap();
    let parent = home.path().join("disk");
    let folder = parent.join("record");
    let mut recorder = begun(&folder);
    // The disk is gone, and with it the folder's own folder.
    std::fs::remove_dir_all(&parent).unwrap();
    go_on(&mut recorder, 5..20);
    std::fs::create_dir(&parent).unwrap();
    go_on(&mut recorder, 20..60);
    assert!(!folder.exists(), "a minute has not passed");
    go_on(&mut recorder, 60..70);
    let playback = played(recorded_files(&folder).unwrap());
    // The last that came before, and all since the minute was over.
    assert_eq!((playback.inputs, playback.cut), (1 + 5, true), "{playback:?}");
}

#[test]
fn what_is_called_otherwise_stays() {
    let folder = tempfile::tempdir().unwrap();
    let foreign =
        ["sunward-holiday.jsonl", "sunward-20260101.jsonl", "sunward-.jsonl"].map(|name| folder.path().join(name));
    foreign.iter().for_each(|path| std::fs::write(path, "kept").unwrap());
    record(folder.path(), 200);
    assert_eq!(recorded_files(folder.path()).unwrap().len(), MOST_FILES + foreign.len());
    assert!(foreign.iter().all(|path| std::fs::read_to_string(path).unwrap() == "kept"));
}
