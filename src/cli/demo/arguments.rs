//! How the demo is called.

use std::io::IsTerminal as _;

use jiff::civil::Date;

/// A seed whose day has some of everything: sun, cumulus, and hours without either.
pub(super) const DEFAULT_SEED: u64 = 48;

/// The options of `sunward demo`.
#[derive(Debug, clap::Args)]
pub struct DemoArguments {
    /// How many times faster time goes by; 288 makes a day of five minutes.
    #[arg(long, default_value_t = 288.0, value_parser = speed, value_name = "FACTOR")]
    pub(super) speed: f64,
    /// Another number brings other clouds and other habits.
    #[arg(long, default_value_t = DEFAULT_SEED, value_name = "NUMBER")]
    pub(super) seed: u64,
    /// The day to begin with.
    #[arg(long, default_value = "2026-06-21", value_name = "YYYY-MM-DD")]
    pub(super) date: Date,
    /// So many days are lived.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=366), value_name = "DAYS")]
    pub(super) days: u16,
    /// Where its broker listens [default: 127.0.0.1:1883, or any free port if that is taken]
    #[arg(long, value_name = "ADDRESS")]
    pub(super) listen: Option<String>,
}

impl DemoArguments {
    /// Returns whether the demo will paint on the terminal rather than print lines: standard output is a terminal.
    #[must_use]
    pub fn paints(&self) -> bool {
        std::io::stdout().is_terminal()
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if (1.0..=3600.0).contains(&speed) => Ok(speed),
        _ => Err("expected a number from 1 to 3600".into()),
    }
}
