//! Finds and reads the settings: defaults ← file ← environment, and remembers where each one came from.
//!
//! The environment is an argument, so that tests bring their own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::findings::Invalid;
use super::merge::{merge, read};
use super::origins::{Origin, Origins};
use super::problem::{ConfigError, Place, Problem};
use super::setup::Setup;
use super::variables::Variables;

/// Where the settings are looked for without `--config`, first hit wins.
pub const SEARCHED: [&str; 2] = ["sunward.toml", "/etc/sunward/sunward.toml"];

/// Files larger than this are not meant.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Everything that the settings mean, and where they came from.
pub struct Loaded {
    /// The settings, and what is made of them.
    pub setup: Setup,
    /// Where the value of each key came from.
    pub origins: Origins,
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
}

/// Reads the settings from `path` (else the first of [`SEARCHED`] that exists, else no file) and the variables `env`, as
/// `std::env::vars_os()` gives them. Variables that are set but empty count as unset.
///
/// # Errors
/// Names every problem with its place, its key and what was expected.
pub fn load<K, V>(path: Option<&Path>, env: impl IntoIterator<Item = (K, V)>) -> Result<Loaded, ConfigError>
where
    K: Into<OsString>,
    V: Into<OsString>,
{
    let file = match path {
        Some(path) => Some(path.to_path_buf()),
        None => find(&SEARCHED.map(Path::new)),
    };
    let text = match &file {
        Some(path) => read_file(path).map_err(|message| Problem {
            place: Place::File(path.clone()),
            key: String::new(),
            message,
        })?,
        None => String::new(),
    };
    assemble(file, &text, env)
}

/// `load` without the file system: `text` is what the file holds.
fn assemble<K, V>(
    file: Option<PathBuf>,
    text: &str,
    env: impl IntoIterator<Item = (K, V)>,
) -> Result<Loaded, ConfigError>
where
    K: Into<OsString>,
    V: Into<OsString>,
{
    let (variables, mut problems) = Variables::collect(env);
    let tree = merge(file.as_deref(), text, &variables)?;
    let (config, unreadable) = read(tree.clone(), file.as_deref(), &variables);
    problems.extend(unreadable);
    // Where a default stands in for what can't be read, validation would find fault with what nobody wrote.
    if !problems.is_empty() {
        return Err(problems.into());
    }

    let origins = Origins::of_settings(&config, &tree);
    match Setup::make(config) {
        Ok(setup) => Ok(Loaded { setup, origins, file }),
        Err(invalid) => Err(blame(invalid, &origins, file.as_deref(), &variables)),
    }
}

/// Finds out where a value comes from that is wrong.
fn blame(invalid: Vec<Invalid>, origins: &Origins, file: Option<&Path>, variables: &Variables) -> ConfigError {
    let in_file = || file.map_or(Place::Default, |file| Place::File(file.to_path_buf()));
    let place = |key: &str| match origins.of(key) {
        // Lists come from the file only: what is missing in one of their tables is missing there.
        Origin::Default if !key.contains('[') => Place::Default,
        Origin::Default | Origin::File => in_file(),
        Origin::Environment => Place::Variable(variables.name_of(key)),
    };
    let problems = invalid.into_iter().map(|Invalid { key, against, mut message }| {
        // Where the offending key is a default, the one that it doesn't fit to is to blame.
        let other = against.as_deref().map(place).filter(|other| *other != Place::Default);
        let place = match (place(&key), other) {
            (Place::Default, Some(other)) => {
                message.push_str(" (the default)");
                other
            }
            (place, _) => place,
        };
        Problem { place, key, message }
    });
    problems.collect::<Vec<_>>().into()
}

fn find(searched: &[&Path]) -> Option<PathBuf> {
    // A file that can't even be asked for exists: reading it will say what is wrong.
    searched.iter().find(|path| path.try_exists().unwrap_or(true)).map(|path| path.to_path_buf())
}

fn read_file(path: &Path) -> Result<String, String> {
    use std::io::{ErrorKind, Read};
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "may not be read by this user".to_owned(),
        ErrorKind::IsADirectory => "is a folder, expected a file".to_owned(),
        ErrorKind::InvalidData => "is not text in UTF-8".to_owned(),
        _ => format!("can't be read: {error}"),
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(LARGEST_FILE + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > LARGEST_FILE {
        return Err("is larger than 1 MiB, which no configuration is".into());
    }
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use insta::assert_snapshot;

    use super::{Loaded, Origin, assemble, find, load};
    use crate::wire::CriterionSource;

    const NO_ENV: [(&str, &str); 0] = [];

    fn assembled(text: &str, env: &[(&str, &str)]) -> Loaded {
        assemble(Some(PathBuf::from("sunward.toml")), text, env.iter().copied()).unwrap()
    }

    fn refused(text: &str, env: &[(&str, &str)]) -> String {
        assemble(Some(PathBuf::from("sunward.toml")), text, env.iter().copied()).map(drop).unwrap_err().to_string()
    }

    #[test]
    fn every_value_knows_where_it_came_from() {
        let loaded = assembled(
            "[mqtt]\nbase_topic = \"home\"\nclient_id = \"a\"\n[scheduler.criteria]\nstart = 0.7",
            &[("SUNWARD__MQTT__CLIENT_ID", "b"), ("SUNWARD__POWER__RESERVE", "50")],
        );
        let check = |key: &str, expect: Origin| assert_eq!(loaded.origins.of(key), expect, "{key}");
        check("mqtt.base_topic", Origin::File);
        check("mqtt.client_id", Origin::Environment);
        check("mqtt.url", Origin::Default);
        check("power.reserve", Origin::Environment);
        check("scheduler.criteria.start", Origin::File);
        check("scheduler.criteria.keep", Origin::Default);
        assert_eq!(loaded.setup.config.mqtt.client_id, "b");
    }

    #[test]
    fn what_is_wrong_within_a_list_has_its_place() {
        let panels =
            "[power.estimate]\nlatitude = 1\nlongitude = 1\npanels = [{ azimuth = 0, tilt = 91, peak_power = 1 }]";
        assert_snapshot!(refused(panels, &NO_ENV), @"sunward.toml: power.estimate.panels[0].tilt: expected 0 to 90, found 91");
    }

    #[test]
    fn a_lower_start_alone_lowers_keep() {
        let loaded = assembled("[scheduler.criteria]\nstart = 0.7", &[]);
        assert_eq!(loaded.setup.config.scheduler.criteria.keep, Some(CriterionSource::Number(0.9 * 0.7)));
        let loaded = assembled("", &[("SUNWARD__SCHEDULER__CRITERIA__START", "0.5")]);
        assert_eq!(loaded.setup.config.scheduler.criteria.keep, Some(CriterionSource::Number(0.45)));
    }

    #[test]
    fn a_keep_that_was_written_is_not_bent() {
        let file = "[scheduler.criteria]\nstart = 0.7\nkeep = 0.75";
        assert_snapshot!(refused(file, &[]), @"sunward.toml: scheduler.criteria.keep: expected at most 0.7 (1, and never above `start`), found 0.75");
    }

    #[test]
    fn a_bad_value_is_blamed_on_who_wrote_it() {
        assert_snapshot!(refused("[scheduler]\ncycle = 0", &[]), @"sunward.toml: scheduler.cycle: expected 1s to 1day, found 0s");
        assert_snapshot!(refused("", &[("SUNWARD__SCHEDULER__CYCLE", "2d")]), @"environment variable SUNWARD__SCHEDULER__CYCLE (scheduler.cycle): expected 1s to 1day, found 2days");
        // confirm_records is a default here.
        assert_snapshot!(refused("[scheduler]\nwindow_size = 1", &[]), @"sunward.toml: scheduler.confirm_records: expected at most scheduler.window_size, which is 1, found 2 (the default)");
        assert_snapshot!(refused("[mqtt]\nurl = \"tcp://h\"", &[("SUNWARD__BROKER__LISTEN", "1883")]), @r#"
        sunward.toml: mqtt.url: expected mqtt://host or mqtts://host, with :port if it is not the usual one, write "mqtt://h"
        environment variable SUNWARD__BROKER__LISTEN (broker.listen): expected an address and a port, such as "127.0.0.1:1883", found "1883", write "127.0.0.1:1883"
        "#);
    }

    #[test]
    fn what_is_wrong_or_missing_in_a_task_is_blamed_on_the_file() {
        let task = "[[task]]\nid = \"a\"\ncommand_topic = \"a/set\"\n";
        assert_snapshot!(refused(task, &[]), @"sunward.toml: task[0].power: missing, expected a number of watts above 0, at most 10 MW");
        assert_snapshot!(refused(&format!("{task}power = 9\ncriteria = {{ start = nan }}"), &[]), @"sunward.toml: task[0].criteria.start: expected a finite number");
        assert_snapshot!(refused(&format!("{task}power = inf"), &[]), @"sunward.toml: task[0].power: expected a finite number");
        assert_snapshot!(refused("task = 1", &[]), @"sunward.toml: task: expected a list, found the number 1");
        assert_snapshot!(refused("task = [1]", &[]), @"sunward.toml: task[0]: expected a table [task[0]], found the number 1");
        let loaded = assembled(&format!("{task}power = 9\ncriteria = {{ start = 0.5 }}"), &[]);
        for key in ["task[0].id", "task[0].criteria.start"] {
            assert_eq!(loaded.origins.of(key), Origin::File, "{key}");
        }
    }

    #[test]
    fn a_given_file_must_exist() {
        let folder = tempfile::tempdir().unwrap();
        let said = |path: &Path| {
            let error = load(Some(path), NO_ENV).map(drop).unwrap_err().to_string();
            error.replace(&*folder.path().to_string_lossy(), "")
        };
        assert_snapshot!(said(&folder.path().join("none.toml")), @"/none.toml: there is no such file");
        assert_snapshot!(said(folder.path()), @": is a folder, expected a file");
        let binary = folder.path().join("binary.toml");
        std::fs::write(&binary, [0xff, 0xfe]).unwrap();
        assert_snapshot!(said(&binary), @"/binary.toml: is not text in UTF-8");
        let huge = folder.path().join("huge.toml");
        std::fs::write(&huge, "#".repeat(1_100_000)).unwrap();
        assert_snapshot!(said(&huge), @"/huge.toml: is larger than 1 MiB, which no configuration is");
    }

    #[test]
    fn the_first_file_that_exists_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let (near, far) = (folder.path().join("near.toml"), folder.path().join("far.toml"));
        let check = |expect: Option<&Path>| assert_eq!(find(&[&near, &far]).as_deref(), expect);
        check(None);
        std::fs::write(&far, "").unwrap();
        check(Some(&far));
        std::fs::write(&near, "\u{feff}[mqtt]\nclient_id = \"near\"").unwrap();
        check(Some(&near));
        assert_eq!(load(Some(&near), NO_ENV).unwrap().setup.config.mqtt.client_id, "near");
    }
}
