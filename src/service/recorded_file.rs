//! One file of a recording. It notices when nobody will find any more what is written to it.

use std::fs::{File, Metadata};
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

/// A file that is written to.
#[derive(Debug)]
pub(super) struct RecordedFile {
    path: PathBuf,
    made: Metadata,
    writer: BufWriter<File>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// It is where it was made.
    Here,
    /// It was moved, and is whole: another file, or none, is in its place.
    Moved,
    /// It was deleted.
    Gone,
}

impl RecordedFile {
    /// Makes a new one.
    ///
    /// # Errors
    /// When it can't be made.
    pub(super) fn create(path: PathBuf) -> io::Result<Self> {
        let file = File::create(&path)?;
        Ok(Self { made: file.metadata()?, path, writer: BufWriter::new(file) })
    }

    /// Writes a line. It is on the disk after [`RecordedFile::flush`].
    ///
    /// # Errors
    /// When it can't be written.
    pub(super) fn write(&mut self, line: &[u8]) -> io::Result<()> {
        self.writer.write_all(line)
    }

    /// # Errors
    /// When what was written can't be.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    /// Returns what became of it.
    pub(super) fn whereabouts(&self) -> Whereabouts {
        match std::fs::symlink_metadata(&self.path) {
            Ok(found) if is_same(&found, &self.made) => Whereabouts::Here,
            _ if self.writer.get_ref().metadata().is_ok_and(|file| is_linked(&file)) => Whereabouts::Moved,
            _ => Whereabouts::Gone,
        }
    }

    /// It was begun and could not be used: better no file than one that pushes an older one out.
    pub(super) fn discard(self) {
        let (path, file) = (self.path, self.writer.into_parts().0);
        drop(file);
        // Where it can't be removed it can't be helped.
        let _ = std::fs::remove_file(path);
    }
}

#[cfg(unix)]
fn is_same(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(unix)]
fn is_linked(file: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    file.nlink() > 0
}

/// Elsewhere an open file can't be deleted or replaced.
#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

#[cfg(not(unix))]
fn is_linked(_: &Metadata) -> bool {
    true
}
