//! A compiled expression or template, in which everything that may grow is measured.
//!
//! minijinja counts steps and bytes itself, but much of it after the fact, and it describes lists that nobody could build.
//! So its instructions are taken as they are, and each that makes or reads a value gets one before and one behind
//! (`gate.rs`). What they do, and how they fail, stays minijinja's.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::machinery::{CodeGenerator, Instruction, Instructions, eval, make_string_output, parse, parse_expr};
use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, Output};

use super::constants;
use super::gate::{BEFORE, BEHIND};
use super::growth::{TEST, is_shallow};
use super::names::{Names, UnknownMethod};

/// A compiled expression or template.
pub(crate) struct Program {
    jinja: &'static Environment<'static>,
    instructions: Instructions<'static>,
}

/// Why a text is none.
#[derive(Debug)]
pub(crate) enum ProgramError {
    /// Not Jinja, or constants in it are too large.
    Jinja(Error),
    /// A method that doesn't exist.
    UnknownMethod(String),
}

impl From<Error> for ProgramError {
    fn from(error: Error) -> Self {
        Self::Jinja(error)
    }
}

impl From<UnknownMethod> for ProgramError {
    fn from(UnknownMethod(name): UnknownMethod) -> Self {
        Self::UnknownMethod(name)
    }
}

impl Program {
    /// Compiles an expression.
    ///
    /// # Errors
    /// When it isn't Jinja, calls a method that doesn't exist, or has constants that are too large.
    pub(crate) fn expression(
        jinja: &'static Environment<'static>,
        source: &str,
        names: Names,
    ) -> Result<Self, ProgramError> {
        let tree = parse_expr(source)?;
        constants::expression(&tree)?;
        let mut code = CodeGenerator::new("expression", source);
        code.compile_expr(&tree);
        Ok(Self { jinja, instructions: measured(&code.finish().0, names)? })
    }

    /// Compiles a template.
    ///
    /// # Errors
    /// As for an expression.
    pub(crate) fn template(jinja: &'static Environment<'static>, source: &str) -> Result<Self, ProgramError> {
        let tree = parse(source, "template", Default::default())?;
        constants::statements(std::slice::from_ref(&tree))?;
        let mut code = CodeGenerator::new("template", source);
        code.compile_stmt(&tree);
        Ok(Self { jinja, instructions: measured(&code.finish().0, Names::Configured)? })
    }

    /// Returns the value of an expression.
    ///
    /// # Errors
    /// When it fails on these variables, or takes too much.
    pub(crate) fn evaluate(&self, names: Value) -> Result<Value, Error> {
        let mut nothing = String::new();
        let value = self.run(names, &mut make_string_output(&mut nothing))?;
        Ok(value.unwrap_or_default())
    }

    /// Returns the text of a template.
    ///
    /// # Errors
    /// When it fails on these variables, or takes too much.
    pub(crate) fn render(&self, names: Value) -> Result<String, Error> {
        let mut text = String::new();
        self.run(names, &mut make_string_output(&mut text))?;
        Ok(text)
    }

    fn run(&self, names: Value, output: &mut Output<'_>) -> Result<Option<Value>, Error> {
        let none = BTreeMap::new();
        let outcome = eval(self.jinja, &self.instructions, names, &none, output, AutoEscape::None);
        outcome.map(|(value, _)| value)
    }
}

/// What a call is named in errors, and how many arguments it has on the stack.
struct Measured {
    name: String,
    arguments: u16,
    /// What it returns is new.
    makes: bool,
}

/// Returns the same instructions with those that measure. They borrow nothing of the source.
fn measured(code: &Instructions<'_>, names: Names) -> Result<Instructions<'static>, UnknownMethod> {
    let all: Vec<&Instruction<'_>> = (0..).map_while(|index| code.get(index)).collect();
    let targets: BTreeSet<usize> = all.iter().filter_map(|one| target(one)).collect();
    let mut more: Vec<Instruction<'static>> = Vec::with_capacity(all.len() * 3);
    // Where each is now, and the end.
    let mut places = Vec::with_capacity(all.len() + 1);
    for (index, one) in all.iter().enumerate() {
        places.push(more.len());
        let before = index.checked_sub(1).filter(|_| !targets.contains(&index)).map(|before| all[before]);
        let call = call(one).filter(|_| !is_cheap(one, before));
        if let Some(Measured { name, arguments, .. }) = &call {
            more.push(Instruction::LoadConst(Value::from(name.as_str())));
            more.push(Instruction::CallFunction(BEFORE, Some(arguments + 1)));
            if *arguments != 1 {
                more.push(Instruction::UnpackList(usize::from(*arguments)));
            }
        }
        more.extend(names.own(one)?);
        if let Some(Measured { name, makes: true, .. }) = call {
            more.push(Instruction::LoadConst(Value::from(name)));
            more.push(Instruction::CallFunction(BEHIND, Some(2)));
        }
    }
    places.push(more.len());
    let mut measured = Instructions::new("", "");
    for one in more {
        measured.add(moved(one, &places));
    }
    Ok(measured)
}

/// Where a jump goes.
fn target(one: &Instruction<'_>) -> Option<usize> {
    use Instruction as I;
    match one {
        I::Iterate(to) | I::Jump(to) | I::JumpIfFalse(to) | I::JumpIfFalseOrPop(to) | I::JumpIfTrueOrPop(to) => {
            Some(*to as usize)
        }
        _ => None,
    }
}

/// Lets a jump go to where its target is now.
fn moved<'a>(mut one: Instruction<'a>, places: &[usize]) -> Instruction<'a> {
    use Instruction as I;
    if let I::Iterate(to) | I::Jump(to) | I::JumpIfFalse(to) | I::JumpIfFalseOrPop(to) | I::JumpIfTrueOrPop(to) =
        &mut one
        && let Some(place) = places.get(*to as usize)
    {
        *to = u32::try_from(*place).unwrap_or(u32::MAX);
    }
    one
}

/// What has to be measured.
fn call(one: &Instruction<'_>) -> Option<Measured> {
    use Instruction as I;
    let named = |name: &str, arguments: u16, makes| Some(Measured { name: name.to_owned(), arguments, makes });
    let made =
        |name: &str, arguments: &Option<u16>| named(name, (*arguments)?, !is_shallow(name) || is_described(name));
    let few = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    match one {
        I::ApplyFilter(name, arguments, _) | I::CallFunction(name, arguments) | I::CallMethod(name, arguments) => {
            made(name, arguments)
        }
        I::PerformTest(name, arguments, _) => named(&format!("{TEST}{name}"), (*arguments)?, false),
        I::CallObject(arguments) => made("call", arguments),
        I::Add => named("+", 2, true),
        I::Mul => named("*", 2, true),
        I::StringConcat => named("~", 2, true),
        I::Slice => named("[:]", 4, true),
        I::Eq | I::Ne => named("==", 2, false),
        I::Gt | I::Gte | I::Lt | I::Lte => named("<", 2, false),
        I::In => named("in", 2, false),
        I::CompareAndPreserve(_) => named("==", 2, false),
        I::GetItem => named("[]", 2, false),
        I::BuildMap(count) => named("{}", few(count * 2), false),
        I::BuildList(Some(count)) | I::BuildTuple(Some(count)) => named("[...]", few(*count), false),
        I::Emit => named("output", 1, false),
        _ => None,
    }
    .filter(|call| call.arguments > 0 || call.makes)
}

/// What is handed on as a list that is only described.
fn is_described(name: &str) -> bool {
    matches!(name, "items" | "keys" | "values")
}

/// Whether it can't be expensive, as its last operand is a constant number or the like.
fn is_cheap(one: &Instruction<'_>, before: Option<&Instruction<'_>>) -> bool {
    use Instruction as I;
    let compares = matches!(one, I::Add | I::Eq | I::Ne | I::Gt | I::Gte | I::Lt | I::Lte | I::GetItem);
    match before {
        Some(I::LoadConst(value)) if compares => {
            let is_short = value.as_str().is_some_and(|text| text.len() < 64) && !matches!(one, I::Add);
            is_short || matches!(value.kind(), ValueKind::Number | ValueKind::Bool | ValueKind::None)
        }
        _ => false,
    }
}
