//! `sunward check`: reads the settings and prints what is in force, and where each value came from.
//!
//! It connects to nothing and prints no password. It reads the settings as `run` does, files included, so that what
//! it accepts can run.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value};

use crate::config::{ConfigError, Loaded, Origins, is_secret, load, settings_of};

/// Why nothing, or not everything, was printed.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Nobody could read the answer.
    #[error("the settings could not be printed: {0}")]
    Output(#[from] io::Error),
}

/// Prints the settings that `path` (else the usual places) and the variables `env` give to `out`, as TOML with the source
/// of each value behind it.
///
/// # Errors
/// Names every problem of the settings; then nothing is printed.
pub fn check<K, V>(
    path: Option<&Path>,
    env: impl IntoIterator<Item = (K, V)>,
    mut out: impl Write,
) -> Result<(), CheckError>
where
    K: Into<OsString>,
    V: Into<OsString>,
{
    let Loaded { setup, origins, file } = load(path, env)?;
    setup.needs_broker()?;
    match file {
        Some(path) => writeln!(out, "# file: {}", path.display())?,
        None => writeln!(out, "# no file: defaults and environment")?,
    }
    if let Value::Object(settings) = settings_of(&setup.config) {
        print_table(&mut out, "", &settings, &origins)?;
    }
    writeln!(out, "\nconfiguration is valid")?;
    Ok(())
}

/// Plain values first, then the tables below: TOML allows no other order.
fn print_table(out: &mut impl Write, key: &str, table: &Map<String, Value>, origins: &Origins) -> io::Result<()> {
    let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    for (name, value) in table.iter().filter(|(_, value)| !is_table(value)) {
        let full = below(name);
        let name = quoted(name);
        let line = match value {
            Value::Null => format!("# {name} ="),
            _ if is_secret(&full) => format!("{name} = \"***\""),
            value => format!("{name} = {value}"),
        };
        let origin = origins.of(&full);
        let unset = if value.is_null() { " (not set)" } else { "" };
        writeln!(out, "{line:<40} # {origin}{unset}")?;
    }
    for (name, value) in table.iter().filter(|(_, value)| is_table(value)) {
        let full = below(name);
        match value {
            Value::Object(table) => {
                writeln!(out, "\n[{}]", header(&full))?;
                print_table(out, &full, table, origins)?;
            }
            Value::Array(items) => {
                for (index, item) in items.iter().filter_map(Value::as_object).enumerate() {
                    writeln!(out, "\n[[{}]]", header(&full))?;
                    print_table(out, &format!("{full}[{index}]"), item, origins)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// A table below an item of a list belongs to the last item that was begun: TOML gives them no numbers.
fn header(key: &str) -> String {
    key.split('.').map(|part| part.split('[').next().unwrap_or(part)).collect::<Vec<_>>().join(".")
}

/// A key as TOML wants it: bare where that is possible.
fn quoted(name: &str) -> Cow<'_, str> {
    let is_bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_bare { name.into() } else { Value::from(name).to_string().into() }
}

fn is_table(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(items) => items.iter().any(Value::is_object),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::check;

    fn printed(text: &str, env: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sunward.toml");
        std::fs::write(&file, text).unwrap();
        let mut out = Vec::new();
        let said = match check(Some(&file), env.iter().copied(), &mut out) {
            Ok(()) => String::from_utf8(out).unwrap(),
            Err(error) => format!("{}{error}", String::from_utf8(out).unwrap()),
        };
        let said = said.replace(&format!("{}/", folder.path().display()), "");
        said.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn every_value_is_printed_with_its_source() {
        let file = "time_zone = \"Europe/Berlin\"\n[scheduler]\ncycle = 90\n[scheduler.criteria]\nstart = 0.7";
        assert_snapshot!(printed(file, &[("SUNWARD__MQTT__USERNAME", "me")]), @r#"
        # file: sunward.toml
        time_zone = "Europe/Berlin"              # file
        
        [broker]
        insecure = false                         # default
        listen = "127.0.0.1:1883"                # default
        max_connections = 100                    # default
        max_packet_size = 262144                 # default
        max_queued_bytes = 2097152               # default
        max_queued_messages = 1000               # default
        max_retained_bytes = 8388608             # default
        max_retained_messages = 10000            # default
        max_sessions = 100                       # default
        max_subscriptions = 200                  # default
        persistent_client_expiration = "1day"    # default
        # storage =                              # default (not set)
        
        [homeassistant]
        discovery = true                         # default
        discovery_prefix = "homeassistant"       # default
        
        [mqtt]
        base_topic = "sunward"                   # default
        # ca_file =                              # default (not set)
        # client_cert_file =                     # default (not set)
        client_id = "sunward"                    # default
        # client_key_file =                      # default (not set)
        keep_alive = "30s"                       # default
        max_packet_size = 1048576                # default
        # password =                             # default (not set)
        # password_file =                        # default (not set)
        protocol = "5"                           # default
        # url =                                  # default (not set)
        username = "me"                          # environment
        
        [power]
        expire_after = "5m"                      # default
        # fallback_topic =                       # default (not set)
        reserve = 0.0                            # default
        # topic =                                # default (not set)
        unit_of_measurement = "W"                # default
        
        [power.estimate]
        base_load = 400.0                        # default
        clear_sky_share = 0.6                    # default
        # latitude =                             # default (not set)
        # longitude =                            # default (not set)
        panels = []                              # default
        
        [scheduler]
        confirm_records = 2                      # default
        cycle = "1m 30s"                         # file
        dry_run = false                          # default
        exclusive_keys = false                   # default
        headroom = 200.0                         # default
        ignore_power_threshold = 100.0           # default
        max_record_gap = "3m"                    # default
        max_registration_size = 8192             # default
        max_state_depth = 16                     # default
        max_state_fields = 64                    # default
        max_state_size = 16384                   # default
        setpoint_interval = "5s"                 # default
        task_expire_after = "10m"                # default
        window_size = 12                         # default
        
        [scheduler.criteria]
        keep = 0.63                              # default
        start = 0.7                              # file
        
        configuration is valid
        "#);
    }

    #[test]
    fn a_password_is_never_printed() {
        for (text, env) in [
            ("[mqtt]\npassword = \"hunter2\"", vec![]),
            ("", vec![("SUNWARD__MQTT__PASSWORD", "hunter2")]),
            ("[mqtt]\npassword = \"hunter2", vec![]),
            ("[mqtt]\npassword = [\"hunter2\"]", vec![]),
            ("[mqtt]\nurl = \"mqtt://me:hunter2@host\"", vec![]),
            ("[mqtt]\npasword = \"hunter2\"", vec![]),
        ] {
            let said = printed(text, &env);
            assert!(!said.contains("hunter2") && (said.contains("password") || said.contains("line 2")), "{said}");
        }
    }

    #[test]
    fn wrong_settings_are_named_and_nothing_else_is_printed() {
        assert_snapshot!(printed("[scheduler]\nwindw_size = 3", &[]), @"sunward.toml: scheduler.windw_size: unknown key, did you mean `window_size`?");
    }

    #[test]
    fn what_is_printed_can_be_read_again() {
        let plug = |id: &str| {
            format!(
                "[[task]]\nid = \"{id}\"\npower = 500\ncommand_topic = \"{id}\"\ncriteria.start = 0.5\n\
                 daily = {{ on_for = \"2h\", by = \"06:00\" }}\n"
            )
        };
        for text in [
            "[scheduler.criteria]\nstart = \"running and \\\"a\\\" == 'b'\"".to_owned(),
            format!("{}{}", plug("a"), plug("b")),
        ] {
            let said = printed(&text, &[]);
            let settings = said.strip_suffix("configuration is valid").unwrap();
            let again = printed(settings, &[]);
            assert!(again.ends_with("configuration is valid"), "{again}");
            assert_eq!(again.matches("[[task]]").count(), text.matches("[[task]]").count(), "{again}");
        }
    }

    #[test]
    fn a_task_is_printed_as_it_was_written() {
        let task = "[[task]]\nid = \"a\"\npower = 500\ncommand_topic = \"a/set\"\nkeys = [\"a\"]\ncriteria.start = 0.5";
        let said = printed(task, &[]);
        let (_, said) = said.split_once("[[task]]").unwrap();
        assert_snapshot!(said, @r#"

        command_topic = "a/set"                  # file
        id = "a"                                 # file
        keys = ["a"]                             # file
        power = 500                              # file
        
        [task.criteria]
        start = 0.5                              # file
        
        configuration is valid
        "#);
    }
}
