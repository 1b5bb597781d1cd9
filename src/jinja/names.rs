//! The words of instructions. Those that tasks may use are known beforehand, so that nothing is kept of what they send.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use minijinja::machinery::Instruction;
use minijinja::value::Value;

use super::growth::DEEP_TESTS;

/// Whose words they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// Of tasks: these variables and no others.
    Of(&'static [&'static str]),
    /// Of the configuration. Its words are kept until the program ends, each once.
    Configured,
}

/// A method that no value has.
#[derive(Debug)]
pub(super) struct UnknownMethod(pub(super) String);

/// The methods of values: Python's, and those of loops.
const METHODS: [&str; 33] = [
    "upper",
    "lower",
    "islower",
    "isupper",
    "isspace",
    "isdigit",
    "isnumeric",
    "isalnum",
    "isalpha",
    "isascii",
    "strip",
    "lstrip",
    "rstrip",
    "replace",
    "title",
    "split",
    "splitlines",
    "capitalize",
    "count",
    "find",
    "format",
    "rfind",
    "startswith",
    "endswith",
    "join",
    "keys",
    "values",
    "items",
    "get",
    "changed",
    "cycle",
    "call",
    "loop",
];

/// Filters, tests and functions.
const WORDS: [&str; 90] = [
    "safe",
    "escape",
    "e",
    "title",
    "capitalize",
    "replace",
    "length",
    "count",
    "dictsort",
    "items",
    "reverse",
    "trim",
    "join",
    "split",
    "lines",
    "default",
    "d",
    "round",
    "abs",
    "int",
    "float",
    "attr",
    "first",
    "last",
    "min",
    "max",
    "sort",
    "list",
    "string",
    "bool",
    "batch",
    "slice",
    "sum",
    "indent",
    "select",
    "reject",
    "selectattr",
    "rejectattr",
    "map",
    "groupby",
    "unique",
    "chain",
    "zip",
    "pprint",
    "format",
    "is_defined",
    "iif",
    "from_json",
    "regex_match",
    "regex_search",
    "regex_replace",
    "regex_findall",
    "regex_findall_index",
    "is_number",
    "add",
    "multiply",
    "average",
    "bitwise_and",
    "bitwise_or",
    "undefined",
    "defined",
    "none",
    "escaped",
    "boolean",
    "odd",
    "even",
    "number",
    "integer",
    "sequence",
    "iterable",
    "mapping",
    "sameas",
    "true",
    "false",
    "range",
    "dict",
    "namespace",
    "loop",
    "caller",
    "varargs",
    "kwargs",
    "super",
    "self",
    "cycler",
    "joiner",
    "lipsum",
    "urlencode",
    "tojson",
    "now",
    "states",
];

/// Words of the configuration.
static KEPT: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

impl Names {
    /// Returns an instruction that borrows nothing, or two that do the same.
    ///
    /// # Errors
    /// When it calls a method that no value has.
    pub(super) fn own(self, one: &Instruction<'_>) -> Result<Vec<Instruction<'static>>, UnknownMethod> {
        use Instruction as I;
        let word = |word: &str| self.word(word);
        Ok(match one {
            I::EmitRaw(text) => vec![I::LoadConst(Value::from(*text)), I::Emit],
            I::GetAttr(name) => vec![I::LoadConst(Value::from(*name)), I::GetItem],
            I::CallMethod(name, arguments) => {
                let known = METHODS.iter().find(|known| *known == name);
                vec![I::CallMethod(known.ok_or_else(|| UnknownMethod((*name).to_owned()))?, *arguments)]
            }
            I::StoreLocal(name) => vec![I::StoreLocal(word(name))],
            I::Lookup(name) => vec![I::Lookup(word(name))],
            I::SetAttr(name) => vec![I::SetAttr(word(name))],
            I::ApplyFilter(name, arguments, id) => vec![I::ApplyFilter(word(name), *arguments, *id)],
            I::PerformTest(name, arguments, id) => vec![I::PerformTest(word(name), *arguments, *id)],
            I::CallFunction(name, arguments) => vec![I::CallFunction(word(name), *arguments)],
            other => vec![free(other)],
        })
    }

    fn word(self, word: &str) -> &'static str {
        let given: &[&'static str] = match self {
            Self::Of(given) => given,
            Self::Configured => &[],
        };
        let known = given.iter().chain(&WORDS).chain(&DEEP_TESTS).chain(&METHODS).find(|known| **known == word);
        match (known, self) {
            (Some(known), _) => known,
            (None, Self::Of(_)) => "unknown",
            (None, Self::Configured) => {
                let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(known) = kept.get(word) {
                    return known;
                }
                let known: &'static str = Box::leak(word.into());
                kept.insert(known);
                known
            }
        }
    }
}

/// Those without words.
fn free(one: &Instruction<'_>) -> Instruction<'static> {
    use Instruction as I;
    match one {
        I::GetItem => I::GetItem,
        I::Slice => I::Slice,
        I::LoadConst(value) => I::LoadConst(value.clone()),
        I::BuildMap(count) => I::BuildMap(*count),
        I::BuildKwargs(count) => I::BuildKwargs(*count),
        I::MergeKwargs(count) => I::MergeKwargs(*count),
        I::BuildList(count) => I::BuildList(*count),
        I::BuildTuple(count) => I::BuildTuple(*count),
        I::UnpackList(count) => I::UnpackList(*count),
        I::UnpackLists(count) => I::UnpackLists(*count),
        I::Add => I::Add,
        I::Sub => I::Sub,
        I::Mul => I::Mul,
        I::Div => I::Div,
        I::IntDiv => I::IntDiv,
        I::Rem => I::Rem,
        I::Pow => I::Pow,
        I::Neg => I::Neg,
        I::Eq => I::Eq,
        I::Ne => I::Ne,
        I::Gt => I::Gt,
        I::Gte => I::Gte,
        I::Lt => I::Lt,
        I::Lte => I::Lte,
        I::Not => I::Not,
        I::StringConcat => I::StringConcat,
        I::In => I::In,
        I::CompareAndPreserve(op) => I::CompareAndPreserve(*op),
        I::Emit => I::Emit,
        I::PushLoop(flags) => I::PushLoop(*flags),
        I::PushWith => I::PushWith,
        I::Iterate(to) => I::Iterate(*to),
        I::PushDidNotIterate => I::PushDidNotIterate,
        I::PopFrame => I::PopFrame,
        I::PopLoopFrame => I::PopLoopFrame,
        I::Jump(to) => I::Jump(*to),
        I::JumpIfFalse(to) => I::JumpIfFalse(*to),
        I::JumpIfFalseOrPop(to) => I::JumpIfFalseOrPop(*to),
        I::JumpIfTrueOrPop(to) => I::JumpIfTrueOrPop(*to),
        I::PushAutoEscape => I::PushAutoEscape,
        I::PopAutoEscape => I::PopAutoEscape,
        I::BeginCapture(mode) => I::BeginCapture(*mode),
        I::EndCapture => I::EndCapture,
        I::CallObject(count) => I::CallObject(*count),
        I::DupTop => I::DupTop,
        I::FastRecurse => I::FastRecurse,
        I::Swap => I::Swap,
        _ => I::DiscardTop,
    }
}
