//! The files that `sunward replay` reads: as a stream, packed or not, and a packed one only as far as it can be meant.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use anyhow::Context as _;

/// What a packed file begins with, whatever its name.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A packed file may always unpack to so many bytes.
const ALWAYS: u64 = 8 << 20;

/// Beyond that it may be so many times as large unpacked: records of a home shrink to a tenth, to a fiftieth at most.
const MOST_TIMES: u64 = 100;

/// Opens a file; a packed one is unpacked while it is read.
///
/// # Errors
/// When it can't be opened; the message names it. Reading fails where a packed file turns out to be nothing but large.
pub(super) fn open(path: &Path) -> anyhow::Result<Box<dyn Read>> {
    let name = || path.display().to_string();
    let packed = Rc::new(Cell::new(0));
    let file = File::open(path).with_context(name)?;
    let mut file = BufReader::new(Counted { inner: file, read: packed.clone() });
    let is_packed = file.fill_buf().with_context(name)?.starts_with(&GZIP);
    Ok(if is_packed {
        Box::new(Unpacked { inner: flate2::bufread::MultiGzDecoder::new(file), packed, unpacked: 0 })
    } else {
        Box::new(file)
    })
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    read: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.set(self.read.get() + read as u64);
        Ok(read)
    }
}

/// Compares what comes out with what went in.
struct Unpacked<R> {
    inner: R,
    packed: Rc<Cell<u64>>,
    unpacked: u64,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.unpacked += read as u64;
        if self.unpacked > ALWAYS && self.unpacked / MOST_TIMES > self.packed.get() {
            let (mebibytes, packed) = (ALWAYS >> 20, self.packed.get());
            return Err(io::Error::other(format!(
                "{packed} bytes unpack to more than {mebibytes} MiB and {MOST_TIMES} times as much, which no record does: \
                 if it is one, unpack it first"
            )));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::open;

    /// Packs so many mebibytes of this, and reads them; returns how many bytes came, or the error.
    fn read(mebibytes: usize, content: &mut dyn FnMut() -> u8) -> Result<usize, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut packed = GzEncoder::new(file.as_file(), Compression::fast());
        for _ in 0..mebibytes {
            let chunk: Vec<u8> = (0..1 << 20).map(|_| content()).collect();
            packed.write_all(&chunk).unwrap();
        }
        packed.finish().unwrap();
        let mut chunk = vec![0; 1 << 16];
        let (mut stream, mut total) = (open(file.path()).unwrap(), 0);
        loop {
            match stream.read(&mut chunk) {
                Ok(0) => return Ok(total),
                Ok(read) => total += read,
                Err(problem) => return Err(problem.to_string()),
            }
        }
    }

    #[test]
    fn a_bomb_is_put_down_before_it_is_large() {
        assert_eq!(read(7, &mut || b'0'), Ok(7 << 20), "so much is always read");
        let error = read(10, &mut || b'0').unwrap_err();
        assert!(error.contains("more than 8 MiB and 100 times as much"), "{error}");
        let random = &mut fastrand::Rng::with_seed(1);
        assert_eq!(read(10, &mut || b"0123456789,.:-\n"[random.usize(..15)]), Ok(10 << 20), "a record is none");
    }
}
