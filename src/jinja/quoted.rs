//! Quoted text in a source.

/// Returns how long the quoted text is that a source begins with, in bytes, with both quotes; `None`: it never ends.
pub(super) fn quoted_length(source: &str) -> Option<usize> {
    let quote = source.chars().next()?;
    let mut escaped = false;
    let end = source[quote.len_utf8()..].find(|c| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.map(|end| end + 2 * quote.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::quoted_length;

    #[test]
    fn an_escaped_quote_does_not_end_it() {
        assert_eq!(quoted_length("'it\\'s' ~ 'x'"), Some(7));
        assert_eq!(quoted_length("\"a'\\\\\" b"), Some(6));
        assert_eq!([quoted_length("'open"), quoted_length("")], [None, None]);
    }
}
