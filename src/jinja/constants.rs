//! Constants are calculated when an expression is compiled, without any fuel: those on lists are held small.

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Stmt};
use minijinja::value::Value;

use super::bounds::{Bounds, exceeded};
use super::growth::repeated;
use super::measure::size;

/// The size of a constant that is calculated from lists, in bytes.
const LARGEST: usize = 4 << 10;

const BOUNDS: Bounds = Bounds { value: LARGEST, fuel: 0, searched: 0 };

/// Looks at all constants of a template.
///
/// # Errors
/// When one is too large, or when the arguments of a call are unpacked: how many those are is known too late.
pub(super) fn statements(all: &[Stmt<'_>]) -> Result<(), minijinja::Error> {
    all.iter().try_for_each(statement)
}

fn statement(stmt: &Stmt<'_>) -> Result<(), minijinja::Error> {
    match stmt {
        Stmt::Template(all) => statements(&all.children),
        Stmt::EmitExpr(emitted) => expression(&emitted.expr),
        Stmt::EmitRaw(_) => Ok(()),
        Stmt::ForLoop(all) => {
            expressions([&all.target, &all.iter].into_iter().chain(&all.filter_expr))?;
            statements(&all.body)?;
            statements(&all.else_body)
        }
        Stmt::IfCond(all) => {
            expression(&all.expr)?;
            statements(&all.true_body)?;
            statements(&all.false_body)
        }
        Stmt::WithBlock(all) => {
            all.assignments.iter().try_for_each(|(target, value)| expressions([target, value]))?;
            statements(&all.body)
        }
        Stmt::Set(set) => expressions([&set.target, &set.expr]),
        Stmt::SetBlock(set) => {
            expressions([&set.target].into_iter().chain(&set.filter))?;
            statements(&set.body)
        }
        Stmt::AutoEscape(all) => {
            expression(&all.enabled)?;
            statements(&all.body)
        }
        Stmt::FilterBlock(all) => {
            expression(&all.filter)?;
            statements(&all.body)
        }
        Stmt::Do(call) => {
            expression(&call.call.expr)?;
            arguments(&call.call.args)
        }
    }
}

fn expressions<'a, 'b: 'a>(all: impl IntoIterator<Item = &'a Expr<'b>>) -> Result<(), minijinja::Error> {
    all.into_iter().try_for_each(expression)
}

/// Looks at all constants of an expression, the inner ones first.
pub(super) fn expression(expr: &Expr<'_>) -> Result<(), minijinja::Error> {
    match expr {
        Expr::Var(_) | Expr::Const(_) => Ok(()),
        Expr::Slice(slice) => {
            expressions([&slice.expr].into_iter().chain(&slice.start).chain(&slice.stop).chain(&slice.step))
        }
        Expr::UnaryOp(unary) => expression(&unary.expr),
        Expr::BinOp(binary) => {
            expressions([&binary.left, &binary.right])?;
            let repeats = matches!(binary.op, BinOpKind::Mul);
            let logic = matches!(binary.op, BinOpKind::ScAnd | BinOpKind::ScOr);
            if logic { Ok(()) } else { operands(&binary.left, &binary.right, repeats) }
        }
        Expr::Compare(compare) => {
            expressions([&compare.expr].into_iter().chain(compare.ops.iter().map(|op| &op.expr)))?;
            compare.ops.iter().try_for_each(|op| operands(&compare.expr, &op.expr, false))?;
            compare.ops.windows(2).try_for_each(|pair| operands(&pair[0].expr, &pair[1].expr, false))
        }
        Expr::IfExpr(all) => expressions([&all.test_expr, &all.true_expr].into_iter().chain(&all.false_expr)),
        Expr::Filter(filter) => {
            expressions(&filter.expr)?;
            arguments(&filter.args)
        }
        Expr::Test(test) => {
            expression(&test.expr)?;
            arguments(&test.args)
        }
        Expr::GetAttr(attr) => expression(&attr.expr),
        Expr::GetItem(item) => expressions([&item.expr, &item.subscript_expr]),
        Expr::Call(call) => {
            expression(&call.expr)?;
            arguments(&call.args)
        }
        Expr::List(list) => expressions(&list.items),
        Expr::Tuple(tuple) => expressions(&tuple.items),
        Expr::Map(map) => expressions(map.keys.iter().chain(&map.values)),
    }
}

fn arguments(all: &[CallArg<'_>]) -> Result<(), minijinja::Error> {
    all.iter().try_for_each(|argument| match argument {
        CallArg::Pos(value) | CallArg::Kwarg(_, value) => expression(value),
        CallArg::PosSplat(_) | CallArg::KwargSplat(_) => {
            Err(super::arguments::invalid("`*` and `**` before an argument: expected each argument by itself"))
        }
    })
}

/// Those of one operator. What calculates with texts alone is bounded by minijinja.
fn operands(left: &Expr<'_>, right: &Expr<'_>, repeats: bool) -> Result<(), minijinja::Error> {
    let (Some(left), Some(right)) = (left.as_const(), right.as_const()) else { return Ok(()) };
    let both = [left, right];
    if both.iter().all(|value: &Value| value.as_object().is_none()) {
        return Ok(());
    }
    let sum = size(&both, &BOUNDS, "a constant").map_err(|_| too_large())?;
    let bytes = if repeats { repeated(&both, sum.bytes) } else { sum.bytes };
    if bytes > LARGEST { Err(too_large()) } else { Ok(()) }
}

fn too_large() -> minijinja::Error {
    exceeded(format!("a constant list: expected at most {} KiB", LARGEST >> 10))
}
