//! Finds expressions in which a name is compared with numbers and used for nothing else: between two neighbouring numbers
//! nothing changes for them, whatever the value of the name.

use super::quoted::quoted_length;

/// More numbers than any criterion has. It keeps the answers few.
const MOST: usize = 8;

/// Integers beyond this are not all exact as `f64`.
const LARGEST: f64 = 1e15;

/// Returns the numbers that an expression compares a name with, in ascending order, each once. `None`: it does something
/// else with the name, or it can't be told.
pub(crate) fn numbers_compared_with(name: &str, source: &str) -> Option<Vec<f64>> {
    let tokens: Vec<Token<'_>> = Tokens { rest: source }.collect::<Option<_>>()?;
    let mut numbers = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        let is_field = place > 0 && tokens[place - 1] == Token::Sign(".");
        if *token == Token::Word(name) && !is_field {
            numbers.push(comparison(&tokens, place)?);
        }
    }
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    (numbers.len() <= MOST).then_some(numbers)
}

/// The number that the name at this place is compared with, in a comparison that stands for itself.
fn comparison(tokens: &[Token<'_>], place: usize) -> Option<f64> {
    let (left, right) = (&tokens[..place], &tokens[place + 1..]);
    if let [Token::Sign(sign), rest @ ..] = right
        && is_comparison(sign)
    {
        let (number, rest) = match rest {
            [Token::Sign("-"), Token::Number(number), rest @ ..] => (-number, rest),
            [Token::Number(number), rest @ ..] => (*number, rest),
            _ => return None,
        };
        return (is_boundary(left.last(), true) && is_boundary(rest.first(), false)).then_some(number);
    }
    let [rest @ .., Token::Number(number), Token::Sign(sign)] = left else { return None };
    let (number, rest) = match rest {
        [rest @ .., Token::Sign("-")] => (-number, rest),
        _ => (*number, rest),
    };
    (is_comparison(sign) && is_boundary(rest.last(), true) && is_boundary(right.first(), false)).then_some(number)
}

fn is_comparison(sign: &str) -> bool {
    matches!(sign, "<" | "<=" | ">" | ">=" | "==" | "!=")
}

/// Whether a comparison ends here: what is beside it binds less strongly.
fn is_boundary(beside: Option<&Token<'_>>, before: bool) -> bool {
    match beside {
        None | Some(Token::Word("and" | "or" | "if" | "else") | Token::Sign(",")) => true,
        Some(Token::Word("not") | Token::Sign("(" | "[")) => before,
        Some(Token::Sign(")" | "]")) => !before,
        _ => false,
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    Number(f64),
    Text,
    Sign(&'a str),
}

/// The tokens of an expression; an item that is none ends it.
struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn take(&mut self, length: usize) -> &'a str {
        let (token, rest) = self.rest.split_at(length);
        self.rest = rest;
        token
    }

    /// How many bytes from here on fit.
    fn length(&self, fits: impl Fn(char) -> bool) -> usize {
        self.rest.find(|c| !fits(c)).unwrap_or(self.rest.len())
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Option<Token<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rest = self.rest.trim_start();
        let first = self.rest.chars().next()?;
        Some(match first {
            '0'..='9' => {
                let text = self.take(self.length(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_'));
                let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                text.parse().ok().filter(|number| plain && *number < LARGEST).map(Token::Number)
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                Some(Token::Word(self.take(self.length(|c| c.is_ascii_alphanumeric() || c == '_'))))
            }
            '"' | '\'' => quoted_length(self.rest).map(|length| {
                self.take(length);
                Token::Text
            }),
            '<' | '>' | '=' | '!' if self.rest[1..].starts_with('=') => Some(Token::Sign(self.take(2))),
            _ if first.is_ascii() => Some(Token::Sign(self.take(1))),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_with_numbers_are_found_where_they_stand_for_themselves() {
        let check = |source: &str, expect: Option<&[f64]>| {
            assert_eq!(numbers_compared_with("ratio", source).as_deref(), expect, "{source}");
        };
        check("ratio >= 0.8 or (state.soc < 20 and now.hour < 7)", Some(&[0.8]));
        check("ratio>1 and not (0.25 <= ratio or ratio == -1)", Some(&[-1.0, 0.25, 1.0]));
        check("iif(ratio < 2, 'ratio', ratio > 2) and [ratio != 3]", Some(&[2.0, 3.0]));
        check("(1 if ratio > 0.5 else 0) > 0 if ratio <= 0.7 else ratio > 0.9", Some(&[0.5, 0.7, 0.9]));
        check("state.ratio * 2 > 1 and state['ratio'] ~ 'it\\'s ratio'", Some(&[]));
        for other in [
            "ratio",
            "ratio * 2 > 1",
            "2 * ratio > 1",
            "ratio > 1 + power",
            "1 + 1 < ratio",
            "ratio | round > 1",
            "-ratio < 1",
            "ratio > 1 | int",
            "0 < ratio < 1",
            "ratio > state.x",
            "ratio in [1]",
            "x(ratio=1)",
            "ratio > 1e3",
            "ratio > 0x1",
            "ratio > 1_0",
            "not ratio",
            "[ratio, 2] | max",
            "state[ratio > 1:]",
            "ratio > 1 is true",
            "ratio > 1 ~ ''",
            "'ratio",
            "ratio > 9999999999999999",
            "{ratio: 1}",
            "ratio > 1.5.x",
            "ratio > ratio",
            "ratio > 1 in [true]",
        ] {
            check(other, None);
        }
        let many = (0..9).map(|number| format!("ratio > {number}")).collect::<Vec<_>>().join(" or ");
        check(&many, None);
    }
}
