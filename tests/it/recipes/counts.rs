//! That nothing is left out: every recipe is fed, every payload is used, and the docs say of each family what it was tested
//! with.

use std::collections::{BTreeMap, BTreeSet};

use super::{RECIPES, payload, read, repository};

/// The names in a folder that end so, without the ending.
fn files(folder: &str, ending: &str) -> BTreeSet<String> {
    let names = std::fs::read_dir(repository(folder)).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter_map(|name| name.to_str()?.strip_suffix(ending).map(str::to_owned)).collect()
}

#[test]
fn every_recipe_is_fed_and_every_payload_is_used() {
    let fed: BTreeSet<String> = RECIPES.iter().map(|recipe| recipe.name.to_owned()).collect();
    assert_eq!(fed, files("examples/devices", ".toml"));
    let steps = RECIPES.iter().flat_map(|recipe| recipe.steps);
    let used: BTreeSet<String> = steps.filter_map(|step| step.file()).map(str::to_owned).collect();
    assert_eq!(used, files("tests/data/payloads", ".json"));
    for file in used {
        assert!(!payload(&file).source.is_empty(), "{file}: no source");
    }
}

#[test]
fn the_docs_count_what_was_tested() {
    let docs = read("docs/devices.md");
    let told: BTreeMap<&str, [usize; 2]> = docs.lines().filter_map(counts).collect();
    for recipe in RECIPES {
        let files: BTreeSet<&str> = recipe.steps.iter().filter_map(|step| step.file()).collect();
        let captured = files.iter().filter(|file| payload(file).provenance.starts_with("captured")).count();
        let counted = [captured, files.len() - captured];
        assert_eq!(
            told.get(recipe.name),
            Some(&counted),
            "docs/devices.md on {}.toml: captured, documented",
            recipe.name
        );
    }
}

/// `| family | [name.toml](…) | captured | documented | … |`
fn counts(line: &str) -> Option<(&str, [usize; 2])> {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let name = cells.get(2)?.strip_prefix('[')?.split_once(".toml]")?.0;
    Some((name, [cells.get(3)?.parse().ok()?, cells.get(4)?.parse().ok()?]))
}
