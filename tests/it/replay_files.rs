//! What `sunward replay` reads and writes: it destroys nothing, and reads nothing that is only large.

use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::home::program;
use crate::replay::{Folder, TASKS, day};

async fn call(folder: &Folder, options: &[&str]) -> String {
    folder.call(&[&["day.csv"], options].concat()).await
}

fn folder() -> Folder {
    Folder::new(&[
        ("day.csv", &day()),
        ("sunward.toml", TASKS),
        ("notes.txt", "mine"),
        ("a.html", "<!DOCTYPE html>mine"),
    ])
}

#[tokio::test]
async fn no_file_that_something_else_wrote_is_overwritten_without_force() {
    let folder = folder();
    for option in ["--html", "--journal"] {
        for file in ["sunward.toml", "notes.txt", "a.html"] {
            let before = folder.read(file);
            let said = call(&folder, &[option, file]).await;
            assert!(said.starts_with("status: 2\n"), "before anything is printed: {said}");
            assert!(said.contains(&format!("{option}: {file} exists")) && said.contains("--force"), "{said}");
            assert_eq!(folder.read(file), before);
        }
        assert!(call(&folder, &[option, "new"]).await.starts_with("status: 0"));
        let first = folder.read("new");
        assert!(call(&folder, &[option, "new", "--import-price", "9"]).await.starts_with("status: 0"), "its own");
        assert!(first.len() > 100 && !folder.read("new").is_empty());
        assert!(call(&folder, &[option, "notes.txt", "--force"]).await.starts_with("status: 0"));
        assert!(folder.read("notes.txt") == first);
        std::fs::remove_file(folder.path().join("new")).unwrap();
        std::fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    }
    assert!(call(&folder, &["--journal", "new"]).await.starts_with("status: 0"));
    let said = call(&folder, &["--html", "new"]).await;
    assert!(said.contains("--html: new exists"), "a journal is no report: {said}");
    let said = call(&folder, &["--html", "x", "--journal", "./x"]).await;
    assert!(said.contains("--journal: expected another file than --html"), "{said}");
    let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().ends_with(".tmp")));
}

#[cfg(unix)]
#[tokio::test]
async fn links_and_streams_are_written_through() {
    let folder = folder();
    std::os::unix::fs::symlink("target.jsonl", folder.path().join("link")).unwrap();
    std::fs::write(folder.path().join("target.jsonl"), "").unwrap();
    assert!(call(&folder, &["--journal", "link"]).await.starts_with("status: 0"));
    assert!(folder.path().join("link").is_symlink() && folder.read("target.jsonl").contains("\"by\""));
    let said = call(&folder, &["--journal", "/dev/stdout"]).await;
    assert!(said.contains("\"action\":\"start\"") && said.starts_with("status: 0"), "{said}");
    // Where the standard output is a file, both are in it.
    let out = std::fs::File::create(folder.path().join("out")).unwrap();
    let mut command = program(folder.path());
    command.args(["replay", "day.csv", "--journal", "/dev/stdout"]).stdout(out);
    assert!(command.status().await.unwrap().success());
    assert!(folder.read("out").contains("\"action\":\"start\"") && folder.read("out").contains("Sunward"));
}

fn pack(path: &Path, head: &str, chunk: &[u8], times: usize) -> u64 {
    let mut packed = GzEncoder::new(std::fs::File::create(path).unwrap(), Compression::best());
    packed.write_all(head.as_bytes()).unwrap();
    for _ in 0..times {
        packed.write_all(chunk).unwrap();
    }
    packed.finish().unwrap().metadata().unwrap().len()
}

#[tokio::test]
async fn a_bomb_is_refused_by_its_name_before_it_is_unpacked() {
    let folder = folder();
    let head = "time,net,solar\n2026-01-01T00:00Z,1,1\n";
    let cases: [(&str, &[u8], &str); 5] = [
        ("a line without an end", b"1", "the row has more than"),
        ("a quote that is not closed", b"\n", "the row has more than"),
        ("columns without an end", b",", "the row has more than"),
        ("blank lines without an end", b"\n", "the row has more than"),
        ("rows without an end", b"2026-01-01T00:00Z,1,1\n", "100 times as much"),
    ];
    for (what, byte, expected) in cases {
        let head = if what.starts_with("a quote") { format!("{head}\"") } else { head.to_owned() };
        let packed = pack(&folder.path().join("bomb.csv.gz"), &head, &byte.repeat((1 << 20) / byte.len()), 100);
        assert!(packed < 800_000, "{packed}");
        let said = folder.call(&["bomb.csv.gz", "--from", "2030-01-01"]).await;
        assert!(
            said.starts_with("status: 1") && said.contains("bomb.csv.gz") && said.contains(expected),
            "{what}: {said}"
        );
    }
}
