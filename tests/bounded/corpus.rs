//! Expressions that would take too much, and those that nearly do: each word of Jinja on values of all sizes and kinds.

use sunward::core::StateFields;

/// Each filter, with an argument `@` that is a size or a value.
#[rustfmt::skip]
const FILTERS: &[&str] = &[
    "safe", "escape", "e", "lower", "upper", "title", "capitalize", "replace('a', @)", "replace('', @)", "replace(@, 'bb')",
    "length", "count", "dictsort", "dictsort(by=@)", "items", "reverse", "trim", "trim(@)", "join", "join(@)",
    "join(d=@)", "split", "split(@)", "split('a', @)", "lines", "default(@)", "round(@)", "abs", "int(@)", "int(base=@)",
    "float(@)", "attr(@)", "first", "last", "min", "max", "sort", "sort(attribute=@)", "sort(reverse=true)", "list",
    "string", "bool", "bool(@)", "batch(@)", "batch(@, 'x')", "batch(3, @)", "slice(@)", "slice(@, 'x')", "slice(3, @)",
    "sum", "sum(start=@)", "sum(attribute=@)", "indent", "indent(@)", "indent(@, true, true)", "indent(width=@)",
    "select", "select('in', @)", "select('eq', @)", "reject('lt', @)", "selectattr('a')", "selectattr('a', 'in', @)",
    "rejectattr(@)", "map('upper')", "map('replace', 'a', @)", "map('indent', @)", "map('join', @)", "map('format', @)",
    "map('regex_replace', 'a', @)", "map('regex_search', '(a|b)*c')", "map(attribute=@)", "map('batch', @)",
    "groupby('a')", "groupby(@)", "unique", "chain(@)", "chain(@, @) | chain(@, @)", "zip(@)", "pprint", "format(@)",
    "format(@, @, @, @)", "is_defined", "iif(@, @)", "from_json", "regex_match(@)", "regex_search(@)",
    "regex_replace('a', @)", "regex_replace(@, 'bb')", "regex_replace('(?:a.*[^a])|a', 'b')",
    "regex_replace('(a*)', '\\\\1\\\\1\\\\1')", "regex_findall(@)", "regex_findall('(a)(a)?')", "regex_findall('')",
    "regex_findall_index('a', @)", "regex_findall('(?:a.*[^a])|a')", "regex_search('(a?){60}a{60}$')",
    "regex_search('(x+x+)+y')", "regex_search('\\\\w{80}b')", "regex_search('(?i)\\\\w{9}\\\\d{9}', ignorecase=true)",
    "regex_replace('[01]*1[01]{14}x', '')", "is_number", "add(@)", "multiply(@)", "average", "bitwise_and(@)",
    "bitwise_or(@)",
];

/// Each method.
#[rustfmt::skip]
const METHODS: &[&str] = &[
    "upper()", "lower()", "islower()", "isupper()", "isspace()", "isdigit()", "isnumeric()", "isalnum()", "isalpha()",
    "isascii()", "strip(@)", "lstrip(@)", "rstrip(@)", "replace('a', @)", "replace('', @)", "replace('a', @, @)", "title()",
    "split(@)", "split('a', @)", "splitlines()", "splitlines(true)", "capitalize()", "count(@)", "count('')", "find(@)",
    "format(@)", "format(@, @, a=@)", "rfind(@)", "startswith(@)", "endswith(@)", "join(@)", "keys()", "values()", "items()",
    "get(@)", "get('a', @)", "center(@)", "ljust(@)", "rjust(@)", "zfill(@)", "nothing(@)",
];

/// Each test.
#[rustfmt::skip]
const TESTS: &[&str] = &[
    "undefined", "defined", "none", "safe", "boolean", "odd", "even", "divisibleby(@)", "number", "integer", "float",
    "string", "sequence", "iterable", "mapping", "startingwith(@)", "endingwith(@)", "lower", "upper", "sameas(@)", "eq(@)",
    "ne(@)", "lt(@)", "le(@)", "gt(@)", "ge(@)", "in(@)", "true", "false", "filter", "test", "match(@)", "search(@)",
];

/// Operators and functions.
#[rustfmt::skip]
const OPERATORS: &[&str] = &[
    "$ * @", "@ * $", "$ * @ * @", "$ + @", "$ ~ @", "$ ~ $ ~ @ ~ @", "$ - @", "$ / @", "$ // @", "$ % @", "$ ** @", "-$",
    "$ == @", "$ * 3 == $ * 3", "$ < @", "1 < $ < @", "$ in @", "@ in $", "@ not in $", "$[@]", "$[:@]", "$[@:]", "$[::@]",
    "$[@:@:@]", "$[-1:]", "[$, @] == [$, @]", "{'a': $, @: 1}", "[[$ * 9] * 9] * 9", "[[1] * @] == [[1] * @]",
    "([1] * @) ~ ''", "([1] * 100000000) ~ 'a'", "'a' * 100000000", "[1] * 100000000 == [1] * 100000000",
    "3 in [2] * 100000000", "range(@)", "range(@, @)", "range(0, @, @)", "range(@) | list | length", "range(@) | join('abc')",
    "dict(a=@)", "dict($)", "namespace(a=$)", "float($)", "int($, base=@)", "round($, @)", "max($, @)", "min($)",
    "average($)", "bool($)", "iif($, @)", "loop($)", "abs($)", "is_number($)", "$ if @ else @", "not $", "$.a.a.a",
];

/// Formats of both kinds.
#[rustfmt::skip]
const FORMATS: &[&str] = &[
    "'{:@}'.format($)", "'{:>@}'.format($)", "'{:é^@}'.format($)", "'{:0@}'.format(1)", "'{:0@,}'.format(1)",
    "'{:.@f}'.format(1)", "'{:.@e}'.format(1.5)", "'{:.@g}'.format(1.5)", "'{:@.@}'.format($)", "'{:#0@b}'.format(7)",
    "'{0}{0}{0}{0}{0}{0}{0}{0}{0}'.format($)", "'{0[@]}'.format($)", "'{:{}}'.format(1, @)", "'%@d' | format(1)",
    "'%.@f' | format(1)", "'%-@s' | format($)", "'%*d' | format(@, 1)", "'%.*f' | format(@, 1.5)", "'%(a)@s' | format(a=$)",
    "'%s%s%s%s' | format($, $, $, $)", "'%0@x' | format(1)", "'%@c' | format('a')",
];

/// Sizes and values that stand for `@`.
#[rustfmt::skip]
const SIZES: &[&str] = &[
    "0", "1", "-1", "2", "63", "1000", "65535", "65536", "262145", "16777216", "2147483648", "4294967296",
    "-9223372036854775808", "9223372036854775807", "18446744073709551615", "1.5", "-1e308", "1e308", "1e18", "true", "none",
];

/// Values that stand for `$`, and for `@` too.
#[rustfmt::skip]
const VALUES: &[&str] = &[
    "state.a", "state.short", "state.long", "state.wide", "state.lines", "state.list", "state.texts", "state.floats",
    "state.deep", "state.map", "state.maps", "state.bits", "'ab'", "[1]", "[]", "['a', ['b']]", "{'a': 1}", "(1, 2)", "1.5e300", "state",
    "state.missing",
];

/// What each word is tried on, with fields of about this many bytes.
pub(crate) fn state(bytes: usize) -> StateFields {
    let json = |text: String| serde_json::from_str::<serde_json::Value>(&text).unwrap();
    let listed = |item: &str| json(format!("[{}0]", format!("{item},").repeat(bytes / (item.len() + 1))));
    let deep = (0..60).fold("1".to_owned(), |inner, _| format!("[{inner}]"));
    StateFields::from_iter([
        ("a", json("7".into())),
        ("short", json("\"a1-0:1.7.0*255(0012.3*kW)\"".into())),
        ("long", serde_json::Value::from("a".repeat(bytes))),
        ("wide", serde_json::Value::from("ΐß\u{1}".repeat(bytes / 5))),
        ("lines", serde_json::Value::from("a\n".repeat(bytes / 2))),
        ("bits", serde_json::Value::from("0110100110010110".repeat(bytes / 16))),
        ("list", listed("1")),
        ("texts", listed("\"ab\"")),
        ("floats", listed("1e308")),
        ("deep", json(deep)),
        ("map", json(format!("{{{}\"z\":1}}", (0..bytes / 12).map(|n| format!("\"k{n:06}\":1,")).collect::<String>()))),
        ("maps", listed("{\"a\":\"x\"}")),
    ])
}

/// Calls `each` with every word, on one in `every` pairs of value and size, and with `random` chains of words.
pub(crate) fn each(every: usize, random: usize, mut each: impl FnMut(&str)) {
    let mut words: Vec<String> = FILTERS.iter().map(|filter| format!("$ | {filter}")).collect();
    words.extend(METHODS.iter().map(|method| format!("$.{method}")));
    words.extend(TESTS.iter().map(|test| format!("$ is {test}")));
    words.extend(OPERATORS.iter().chain(FORMATS).map(|operator| (*operator).to_owned()));
    let sizes: Vec<&str> = SIZES.iter().chain(VALUES).copied().collect();
    let fill = |word: &str, value: &str, size: &str| word.replace('$', value).replace('@', size);
    let mut count = 0;
    for word in &words {
        let values = if word.contains('$') { VALUES } else { &["1"] };
        let sizes = if word.contains('@') { &sizes[..] } else { &["1"] };
        for value in values {
            for size in sizes {
                count += 1;
                if count % every == 0 {
                    each(&fill(word, value, size));
                }
            }
        }
    }
    let mut dice = fastrand::Rng::with_seed(11);
    let one = |dice: &mut fastrand::Rng, value: &str| {
        let word = &words[dice.usize(..words.len())];
        fill(word, value, sizes[dice.usize(..sizes.len())])
    };
    for _ in 0..random {
        let value = VALUES[dice.usize(..VALUES.len())];
        let inner = (0..dice.usize(1..4)).fold(value.to_owned(), |inner, _| format!("({})", one(&mut dice, &inner)));
        each(&one(&mut dice, &inner));
    }
}
