//! The map of `ARCHITECTURE.md` against the sources: every module stands in it, and imports from lines below its own only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Each module of the picture and its line, counted from the top.
fn map() -> BTreeMap<String, usize> {
    let page = include_str!("../../ARCHITECTURE.md");
    let picture = page.split("```").nth(1).unwrap().strip_prefix("text\n").unwrap();
    let lines = picture.lines().map(|line| line.split('│').next().unwrap()).enumerate();
    lines.flat_map(|(at, line)| line.split_whitespace().map(move |module| (module.to_owned(), at))).collect()
}

/// The sources below a folder, without files of tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    found.filter(|path| !path.to_str().unwrap().ends_with("tests.rs")).collect()
}

/// The modules that a text names as `crate::…`.
fn imported(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let end = |rest: &str| rest.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(rest.len());
    code.split("crate::").skip(1).map(move |rest| &rest[..end(rest)])
}

#[test]
fn modules_import_from_below_only() {
    let (map, root) = (map(), Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
    let mut upwards = Vec::new();
    for file in sources(root) {
        let within = file.strip_prefix(root).unwrap().with_extension("");
        let module = within.iter().next().unwrap().to_str().unwrap();
        if matches!(module, "lib" | "main") {
            continue;
        }
        let line = map.get(module).unwrap_or_else(|| panic!("{module} is missing in the map"));
        let text = std::fs::read_to_string(&file).unwrap();
        for other in imported(&text).filter(|other| *other != module) {
            if map.get(other).is_none_or(|below| below <= line) {
                upwards.push(format!("{} imports {other}", within.display()));
            }
        }
    }
    assert_eq!(upwards, Vec::<String>::new());
    let modules = std::fs::read_dir(root).unwrap().count() - ["lib.rs", "main.rs"].len();
    assert_eq!(map.len(), modules, "the map names what is no module");
}
