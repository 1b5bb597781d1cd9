//! What the docs of `sunward replay` tell people to type, typed.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::replay::Folder;

const DOCS: &str = "docs/replay.md";

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    std::fs::read_to_string(repository().join(name)).unwrap()
}

/// The first block of a language.
fn block<'t>(text: &'t str, language: &str) -> &'t str {
    let (_, rest) = text.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

#[tokio::test]
async fn the_example_works_as_it_is_told() {
    let call = "sunward replay tests/data/opsd_residential4_60min.csv.gz -c examples/replay.toml --from 2016-01-01";
    for told in ["README.md", "examples/replay.toml"] {
        assert!(read(told).contains(call), "{told}");
    }
    let (docs, example) = (read(DOCS), read("examples/replay.toml"));
    let data = repository().join("tests/data/opsd_residential4_60min.csv.gz");
    for configuration in [example.as_str(), block(&docs, "toml")] {
        let folder = Folder::new(&[("replay.toml", configuration)]);
        let call = [data.to_str().unwrap(), "-c", "replay.toml", "--from", "2016-05-02", "--to", "2016-05-09"];
        let said = folder.call(&call).await;
        assert!(said.starts_with("status: 0") && said.contains("\nev  "), "{said}");
    }
}

/// The tables of Home Assistant 2025.4, as its recorder makes them.
const TABLES: &str = "
    CREATE TABLE statistics_meta (id INTEGER NOT NULL PRIMARY KEY, statistic_id VARCHAR(255), source VARCHAR(32),
        unit_of_measurement VARCHAR(255), has_mean BOOLEAN, has_sum BOOLEAN, name VARCHAR(255), mean_type SMALLINT NOT NULL);
    CREATE TABLE statistics (id INTEGER NOT NULL PRIMARY KEY, created CHAR(0), created_ts FLOAT, metadata_id INTEGER,
        start CHAR(0), start_ts FLOAT, mean FLOAT, mean_weight FLOAT, min FLOAT, max FLOAT, last_reset CHAR(0),
        last_reset_ts FLOAT, state FLOAT, sum FLOAT, FOREIGN KEY(metadata_id) REFERENCES statistics_meta (id));";

/// What fills a database as Home Assistant does: for each sensor the kilowatt-hours of every hour, and a thermometer.
fn database(hours: impl Iterator<Item = (i64, [f64; 4])>) -> String {
    let sensors = ["sensor.grid_import", "sensor.grid_export", "sensor.solar_energy", "sensor.wallbox_energy"];
    let mut script = format!("BEGIN;{TABLES}");
    for (id, sensor) in sensors.iter().enumerate() {
        script += &format!("INSERT INTO statistics_meta VALUES ({id}, '{sensor}', 'recorder', 'kWh', 0, 1, NULL, 0);");
    }
    script += "INSERT INTO statistics_meta VALUES (9, 'sensor.temperature', 'recorder', '°C', 1, 0, NULL, 1);";
    let row = "INSERT INTO statistics (metadata_id, start_ts, mean, state, sum) VALUES";
    let mut sums = [0.0; 4];
    for (start, energies) in hours {
        for (id, (sum, energy)) in sums.iter_mut().zip(energies).enumerate() {
            *sum += energy;
            script += &format!("{row} ({id}, {start}, NULL, {}, {sum});", 5000.0 + *sum);
        }
        script += &format!("{row} (9, {start}, 21.5, NULL, NULL);");
    }
    script + "COMMIT;"
}

/// What `sqlite3` prints.
fn sqlite3(arguments: &[&str], input: &str) -> String {
    let mut call = Command::new("sqlite3");
    let mut child = call
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("needs sqlite3: sudo apt-get install -y sqlite3");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn home_assistants_statistics_become_a_record() {
    // 2026-06-01 in UTC, with two hours in which Home Assistant was off.
    let begin = 1_780_272_000;
    let hours = (-1..24).filter(|hour| ![4, 5].contains(hour)).map(|hour| {
        let (sun, car) =
            (if (9..15).contains(&hour) { 3.0 } else { 0.0 }, if (19..21).contains(&hour) { 2.0 } else { 0.0 });
        let net: f64 = 0.3 - sun + car;
        (begin + hour * 3600, [net.max(0.0), (-net).max(0.0), sun, car])
    });
    let docs = read(DOCS);
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("home-assistant_v2.db");
    let file = file.to_str().unwrap();
    sqlite3(&[file], &database(hours));
    let sensors = docs.split_once("home-assistant_v2.db \"SELECT").unwrap().1.split_once('"').unwrap().0;
    assert!(sqlite3(&[file, &format!("SELECT {sensors}")], "").ends_with("sensor.wallbox_energy|kWh\n"));
    let replay = "time_zone = 'UTC'\n[[replay.task]]\nid = 'ev'\npower = 2000\n";
    let folder = Folder::new(&[
        ("year.csv", &sqlite3(&["-header", "-csv", file], block(&docs, "sql"))),
        ("replay.toml", replay),
    ]);
    let (_, call) = docs.split_once("sunward replay year.csv --unit").unwrap();
    let call = format!("year.csv --unit{}", call.split_once('\n').unwrap().0);
    let said = folder.call(&call.split(' ').collect::<Vec<_>>()).await;
    insta::assert_snapshot!(said, @r"
    status: 0
    2026-06-01 to 2026-06-02, a row every 1h; 2 gaps, 3h that are not counted
      gap from 2026-06-01 04:00 to 2026-06-01 05:00: no `net`
      gap from 2026-06-01 05:00 to 2026-06-01 07:00: no rows

                           as recorded    naive switch         Sunward
    solar                     18.0 kWh        18.0 kWh        18.0 kWh
    used                      10.3 kWh        10.3 kWh        10.3 kWh
    from the grid              8.5 kWh         4.5 kWh         4.5 kWh
    to the grid               16.2 kWh        12.2 kWh        12.2 kWh
    self-consumption            10.0 %          32.2 %          32.2 %
    self-sufficiency            17.5 %          56.3 %          56.3 %

    task                                   energy     by sun    on time     starts     needed     missed       left
    ev                  as recorded       4.0 kWh      0.0 %        2 h          1          1          0    0.0 kWh
                        naive switch      4.0 kWh    100.0 %        2 h          1          1          0    0.0 kWh
                        Sunward           4.0 kWh    100.0 %        2 h          1          1          0    0.0 kWh
    needed: days on which there was something to do; missed: of them, not done in time; left: never done
    ");
}
