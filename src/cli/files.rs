//! The files that `sunward replay` reads and writes.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Read, Write as _};
use std::path::Path;

use anyhow::Context as _;

/// What a packed file begins with, whatever its name.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Opens a file; a packed one is unpacked while it is read.
///
/// # Errors
/// When it can't be opened; the message names it.
pub(super) fn open(path: &Path) -> anyhow::Result<Box<dyn Read>> {
    let name = || path.display().to_string();
    let mut file = BufReader::new(File::open(path).with_context(name)?);
    let packed = file.fill_buf().with_context(name)?.starts_with(&GZIP);
    Ok(if packed { Box::new(flate2::bufread::MultiGzDecoder::new(file)) } else { Box::new(file) })
}

/// Writes a whole file anew.
///
/// # Errors
/// When it can't be written; the message names it.
pub(super) fn write(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let outcome = File::create(path).map(BufWriter::new).and_then(|mut file| {
        write(&mut file)?;
        file.flush()
    });
    outcome.with_context(|| path.display().to_string())
}
