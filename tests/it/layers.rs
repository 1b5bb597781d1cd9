//! The shape of the sources: modules import from below only, files never in a circle, and no file is long.
//!
//! The picture in `ARCHITECTURE.md` says which module is below which.

mod imports;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use imports::{Sources, files_below};

/// The most lines of a file, tests included.
const LONGEST_FILE: usize = 350;

/// The most lines of the file in the middle.
const MEDIAN_FILE: usize = 150;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Each module of the picture and its line, counted from the top.
fn map() -> BTreeMap<String, usize> {
    let page = include_str!("../../ARCHITECTURE.md");
    let picture = page.split("```").nth(1).unwrap().strip_prefix("text\n").unwrap();
    let lines = picture.lines().map(|line| line.split('│').next().unwrap()).enumerate();
    lines.flat_map(|(at, line)| line.split_whitespace().map(move |module| (module.to_owned(), at))).collect()
}

#[test]
fn modules_import_from_below_only() {
    let (map, sources) = (map(), Sources::read(&folder("src")));
    let line = |module: &str| map.get(module).unwrap_or_else(|| panic!("{module} is missing in the map"));
    let mut upwards = Vec::new();
    for (file, others) in sources.imports().0 {
        let Some(module) = file.first() else { continue };
        // What is imported from the crate's root comes from above as well.
        let outside = others.iter().filter(|other| other.first() != Some(module));
        for other in outside.filter(|other| other.first().is_none_or(|below| line(below) <= line(module))) {
            upwards.push(format!("{} imports {}", sources.path(&file).display(), sources.path(other).display()));
        }
    }
    assert_eq!(upwards, Vec::<String>::new());
    let known = |module: &str| sources.modules().any(|file| file.first().is_some_and(|first| first == module));
    assert_eq!(map.keys().find(|module| !known(module)), None, "the map names what is no module");
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let circles = Sources::read(&folder("src")).imports().circles();
    let told: String = circles.iter().map(|circle| format!("\n{circle}")).collect();
    assert!(circles.is_empty(), "{told}");
}

#[test]
fn files_are_short() {
    let lines = |file: &PathBuf| std::fs::read_to_string(file).unwrap().lines().count();
    let sources = files_below(&folder("src"));
    let all = sources.iter().cloned().chain(files_below(&folder("tests"))).chain(files_below(&folder("benches")));
    let too_long: Vec<String> = all
        .map(|file| (lines(&file), file))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .map(|(lines, file)| format!("{}: {lines} lines", file.display()))
        .collect();
    assert_eq!(too_long, Vec::<String>::new(), "longer than {LONGEST_FILE} lines");
    let mut lengths: Vec<usize> = sources.iter().map(lines).collect();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= MEDIAN_FILE, "half of the files have {median} lines or more, {MEDIAN_FILE} are meant at most");
}
