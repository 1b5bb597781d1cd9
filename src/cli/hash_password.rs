//! `sunward hash-password`: makes of a password what the configuration keeps of it.

use std::io::{BufRead, Write};

use anyhow::Context as _;

use crate::mqtt::PasswordHash;

/// Bytes of the longest password.
const LONGEST: u64 = 1_024;

/// Reads the first line, and prints the hash.
///
/// # Errors
/// When there is no password in it.
pub(super) fn hash_password(input: impl BufRead, mut output: impl Write) -> anyhow::Result<()> {
    let mut line = String::new();
    input.take(LONGEST + 2).read_line(&mut line).context("the password can't be read")?;
    let password = line.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(!password.is_empty(), "expected a password in the first line of the standard input, found none");
    anyhow::ensure!(password.len() as u64 <= LONGEST, "expected a password of at most {LONGEST} bytes");
    let hash = PasswordHash::of(password).map_err(anyhow::Error::msg)?;
    writeln!(output, "{hash}").context("the hash can't be written")
}
