//! The cost of compiling is proportional to the length of the expression, whatever it contains.

use crate::fql::Expr;

/// Enough clauses that a quadratic step would take minutes and be noticed.
const CLAUSES: usize = 20_000;

fn joined(operator: &str, clause: impl Fn(usize) -> String) -> String {
    (0..CLAUSES).map(clause).collect::<Vec<_>>().join(operator)
}

fn compile(source: &str) {
    if let Ok(compiled) = Expr::compile(source) {
        compiled.expr.takes_nothing();
        compiled.expr.implies(&compiled.expr);
    }
}

#[test]
fn long_expressions_compile_in_linear_time() {
    for operator in [" or ", " and "] {
        compile(&joined(operator, |n| format!("event = 'Event {n}'")));
        compile(&joined(operator, |n| format!("event != 'Event {n}'")));
        compile(&joined(operator, |n| format!("properties.p{n} = 'x'")));
        compile(&joined(operator, |n| format!("!(properties.p{n} = {n})")));
        compile(&joined(operator, |n| format!("field{n} = 'x'")));
        compile(&joined(operator, |n| format!("(event in ['A{n}', 'B'] and name = 'C{n}')")));
    }
    let list = joined(", ", |n| format!("'Event {n}'"));
    compile(&format!("event in [{list}]"));
    compile(&format!("!(event in [{list}]) and event in [{list}]"));
}

#[test]
fn nested_expressions_compile_in_linear_time() {
    let long = joined(" or ", |n| format!("event = 'Event {n}'"));
    let nested = (0..100).fold(long, |inner, n| format!("!({inner} and properties.n{n} = 'x')"));
    compile(&nested);
}

#[test]
fn very_many_errors_of_one_expression_are_found_in_linear_time() {
    for wrong in ["and ", "nope(a) or ", "a b or ", "= ", "$ ", "(a or ) and ", "a = b = c and "] {
        let source = wrong.repeat(CLAUSES);
        let errors = Expr::compile(&source).unwrap_err();
        assert!(errors.len() >= CLAUSES / 2, "{wrong}: {}", errors.len());
    }
}
