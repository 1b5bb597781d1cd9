//! The small files that `[mqtt]` names: passwords and certificates.
//!
//! What can't be read is explained here, in plainer words than a parser has.

use std::io::{self, Read as _};
use std::path::Path;

/// No password or bundle of certificates is larger.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Returns what the file holds.
///
/// # Errors
/// The end of a sentence that began with the key.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => format!("there is no file \"{}\"", path.display()),
        io::ErrorKind::IsADirectory => format!("\"{}\" is a folder, expected a file", path.display()),
        _ => format!("\"{}\" can't be read: {error}", path.display()),
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(unreadable(io::ErrorKind::IsADirectory.into()));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("\"{}\" is larger than 16 MiB", path.display()));
    }
    Ok(bytes)
}

/// Returns the first line of a text, which must not be empty.
///
/// # Errors
/// The end of a sentence that began with the key.
pub(super) fn first_line(path: &Path) -> Result<String, String> {
    let text = String::from_utf8(read(path)?).map_err(|_| format!("\"{}\" is not text in UTF-8", path.display()))?;
    match text.lines().next().filter(|line| !line.is_empty()) {
        Some(line) => Ok(line.to_owned()),
        None => Err(format!("the first line of \"{}\" is empty", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_named() {
        assert_eq!(read(Path::new("/nowhere/b")), Err("there is no file \"/nowhere/b\"".into()));
        assert_eq!(read(Path::new("/")), Err("\"/\" is a folder, expected a file".into()));
    }

    #[test]
    fn a_first_line_ends_where_it_ends() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let check = |bytes: &[u8], expect: Result<&str, &str>| {
            std::fs::write(file.path(), bytes).unwrap();
            match (first_line(file.path()), expect) {
                (Ok(line), Ok(expect)) => assert_eq!(line, expect),
                (Err(problem), Err(part)) => assert!(problem.contains(part), "{problem}"),
                (got, expect) => panic!("{got:?}, expected {expect:?}"),
            }
        };
        check(b"se cret\r\nsecond line\n", Ok("se cret"));
        check(b"\nsecret", Err("is empty"));
        check(&[0xff], Err("UTF-8"));
    }
}
