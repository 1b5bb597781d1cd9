//! The program: parses the command line, prints the error, chooses the exit status.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use sunward::text::PlainLines;

fn main() -> ExitCode {
    let arguments = sunward::cli::Arguments::parse();
    sunward::cli::begin(&arguments);
    match sunward::cli::execute(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // `sunward check | head` is nobody's mistake.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody may be there to read it; the status tells all the same.
            let _ = writeln!(PlainLines(std::io::stderr()), "error: {failure}");
            ExitCode::from(failure.status())
        }
    }
}
