//! What compiling costs: it grows with the length of the expression, whatever stands in it.

use std::time::{Duration, Instant};

use crate::fql::Expr;

/// A count of clauses that a quadratic step takes minutes for.
const CLAUSES: usize = 20_000;
/// Generous: even a build without optimisation on a busy machine takes a fraction of it.
const MOST: Duration = Duration::from_secs(30);

fn joined(operator: &str, clause: impl Fn(usize) -> String) -> String {
    (0..CLAUSES).map(clause).collect::<Vec<_>>().join(operator)
}

fn compiles_in_time(source: &str) {
    let start = Instant::now();
    if let Ok(compiled) = Expr::compile(source) {
        compiled.expr.takes_nothing();
        compiled.expr.implies(&compiled.expr);
    }
    assert!(start.elapsed() < MOST, "{:?} for {}", start.elapsed(), &source[..60]);
}

#[test]
fn long_expressions_compile_in_linear_time() {
    for operator in [" or ", " and "] {
        compiles_in_time(&joined(operator, |n| format!("event = 'Event {n}'")));
        compiles_in_time(&joined(operator, |n| format!("event != 'Event {n}'")));
        compiles_in_time(&joined(operator, |n| format!("properties.p{n} = 'x'")));
        compiles_in_time(&joined(operator, |n| format!("!(properties.p{n} = {n})")));
        compiles_in_time(&joined(operator, |n| format!("field{n} = 'x'")));
        compiles_in_time(&joined(operator, |n| {
            format!("(event in ['A{n}', 'B'] and name = 'C{n}')")
        }));
    }
    let list = joined(", ", |n| format!("'Event {n}'"));
    compiles_in_time(&format!("event in [{list}]"));
    compiles_in_time(&format!("!(event in [{list}]) and event in [{list}]"));
}

#[test]
fn nested_expressions_compile_in_linear_time() {
    let long = joined(" or ", |n| format!("event = 'Event {n}'"));
    let nested = (0..100).fold(long, |inner, n| format!("!({inner} and properties.n{n} = 'x')"));
    compiles_in_time(&nested);
}

#[test]
fn very_many_errors_of_one_expression_are_found_in_linear_time() {
    for wrong in ["and ", "nope(a) or ", "a b or ", "= ", "$ ", "(a or ) and ", "a = b = c and "] {
        let source = wrong.repeat(CLAUSES);
        let start = Instant::now();
        let errors = Expr::compile(&source).unwrap_err();
        assert!(errors.len() >= CLAUSES / 2, "{wrong}: {}", errors.len());
        assert!(start.elapsed() < MOST, "{wrong}: {:?}", start.elapsed());
    }
}
