//! The errors and warnings about expressions.

use proptest::prelude::*;

use super::takes;
use crate::diagnostic::render;
use crate::fql::Expr;

/// Renders the errors of `source`, or else its warnings.
fn shown(source: &str) -> String {
    match Expr::compile(source) {
        Ok(compiled) => render("filter", source, &compiled.warnings),
        Err(errors) => render("filter", source, &errors),
    }
}

/// Returns the spans of the errors of `source`.
fn places(source: &str) -> Vec<(usize, usize)> {
    let errors = Expr::compile(source).unwrap_err();
    errors.into_iter().map(|error| (error.span.start, error.span.end)).collect()
}

#[test]
fn an_error_shows_its_place_and_what_was_expected() {
    insta::assert_snapshot!(shown("userId = oops\""), @r#"
    filter:1:14: error: expected a closing " of this string
     1 | userId = oops"
       |              ^
    help: a string ends with the quote it began with: "
    "#);
    insta::assert_snapshot!(shown("match(event, 'a[b')"), @r"
    filter:1:16: error: expected a `]` that closes this `[`
     1 | match(event, 'a[b')
       |                ^
    help: in a pattern a backslash makes the next character literal
    ");
    insta::assert_snapshot!(shown("x not in ['a']"), @r"
    filter:1:3: error: expected an operator or the end of the expression, found `not`
     1 | x not in ['a']
       |   ^^^
    help: write `!(x in list)` for a value that is not in a list
    ");
}

#[test]
fn the_null_tests_of_sql_have_their_signs() {
    insta::assert_snapshot!(shown("properties.plan is null"), @r"
    filter:1:17: error: expected an operator or the end of the expression, found `is`
     1 | properties.plan is null
       |                 ^^
    help: write `properties.plan = null`
    ");
    insta::assert_snapshot!(shown("userId IS NOT NULL"), @r"
    filter:1:8: error: expected an operator or the end of the expression, found `IS`
     1 | userId IS NOT NULL
       |        ^^
    help: write `userId != null`
    ");
    insta::assert_snapshot!(shown("userId is 'u'"), @r"
    filter:1:8: error: expected an operator or the end of the expression, found `is`
     1 | userId is 'u'
       |        ^^
    help: compare with `=` or `!=`, as `userId = null` or `userId != null`
    ");
}

#[test]
fn all_errors_of_an_expression_are_found() {
    insta::assert_snapshot!(shown("event == 'a' AND\n  (conatins(a) or ) and type = "), @r"
    filter:1:7: error: expected `=`, found `==`
     1 | event == 'a' AND
       |       ^^
    help: FQL writes `=`

    filter:1:14: error: expected `and`, found `AND`
     1 | event == 'a' AND
       |              ^^^
    help: write `and`: keywords are lower case

    filter:2:4: error: expected the name of a function, found `conatins`
     2 |   (conatins(a) or ) and type = 
       |    ^^^^^^^^
    help: did you mean `contains`?

    filter:2:19: error: expected a value, found `)`
     2 |   (conatins(a) or ) and type = 
       |                   ^

    filter:2:32: error: expected a value, found the end
     2 |   (conatins(a) or ) and type = 
       |                                ^
    ");
}

#[test]
fn errors_stand_where_the_text_stops_making_sense() {
    for (source, expected) in [
        ("", &[(0, 0)][..]),
        ("  ", &[(0, 2)]),
        ("a =", &[(3, 3)]),
        ("= 1", &[(0, 1)]),
        ("a b", &[(2, 3)]),
        ("a and and b", &[(6, 9)]),
        ("a = 1)", &[(5, 6)]),
        ("(a = 1", &[(0, 1)]),
        ("[1, 2", &[(0, 1)]),
        ("a in [1,]", &[(8, 9)]),
        ("a in ('x', 'y')", &[(9, 10)]),
        ("a = b = c", &[(6, 7)]),
        ("a = !b", &[(4, 5)]),
        ("length()", &[(0, 8)]),
        ("contains(a)", &[(0, 11)]),
        ("lowercase(a, b)", &[(0, 15)]),
        ("nope(a) and nil(b)", &[(0, 4), (12, 15)]),
        ("Contains(a, 'b')", &[(0, 8)]),
        ("match(a, \"é[x-]\")", &[(15, 16)]),
        ("(a b) and (c d)", &[(3, 4), (13, 14)]),
        ("a b or nope(c)", &[(2, 3), (7, 11)]),
        ("not a", &[(4, 5)]),
        ("a like 'b'", &[(2, 6)]),
        ("a $ b", &[(2, 3)]),
    ] {
        assert_eq!(places(source), expected, "{source}");
    }
}

#[test]
fn deep_nesting_is_refused_without_harm() {
    let nested =
        |open: &str, close: &str, depth: usize| open.repeat(depth) + "true" + &close.repeat(depth);
    for (open, close) in [("(", ")"), ("!", ""), ("[", "]"), ("typeof(", ")"), ("![(", ")]")] {
        assert_eq!(places(&nested(open, close, 100_000)).len(), 1, "{open}");
    }
    assert!(takes(&nested("(", ")", 128), "{}"));
    assert!(takes(&nested("!", "", 128), "{}"));
    assert!(Expr::compile(&nested("(", ")", 129)).is_err());
    let long = vec!["false"; 100_000].join(" or ") + " or true";
    assert!(takes(&long, "{}"));
}

#[test]
fn what_is_likely_not_meant_gives_a_warning() {
    insta::assert_snapshot!(shown("type = 'page' and userId or event = 'x'"), @r"
    filter:1:1: warning: `and` and `or` are mixed without parentheses: this reads the `and` first
     1 | type = 'page' and userId or event = 'x'
       | ^^^^^^^^^^^^^^^^^^^^^^^^
    help: write `(type = 'page' and userId)` if that is meant
    ");
    insta::assert_snapshot!(shown("received_at >= '2023-04-21'"), @r"
    filter:1:1: warning: this never holds: only numbers are greater or less than one another
     1 | received_at >= '2023-04-21'
       | ^^^^^^^^^^^^^^^^^^^^^^^^^^^

    filter:1:1: warning: no event has a top-level field `received_at`
     1 | received_at >= '2023-04-21'
       | ^^^^^^^^^^^
    help: did you mean `receivedAt`?
    ");
    insta::assert_snapshot!(shown("plan = 'pro'"), @r"
    filter:1:1: warning: no event has a top-level field `plan`
     1 | plan = 'pro'
       | ^^^^
    help: fields of your own are in `properties` or `traits`, such as `properties.plan`
    ");
}

/// Returns the help of the first diagnostic about `source`.
fn help(source: &str) -> String {
    let found = match Expr::compile(source) {
        Ok(compiled) => compiled.warnings,
        Err(errors) => errors,
    };
    found.into_iter().next().and_then(|found| found.help).unwrap_or_default()
}

#[test]
fn what_other_languages_write_is_told_as_fql_writes_it() {
    for (source, expected) in [
        ("not (event = 'A')", "write `!(…)`"),
        ("NOT (event = 'A')", "write `!(…)`"),
        ("properties.items[0].sku = 's1'", "write `properties.items.0.sku`"),
        ("properties['product 1'].price = 1", r"write `properties.product\ 1.price`"),
        ("properties.a[0][1] = 1", "write `properties.a.0.1`"),
        ("properties.n > 1.5e3", "write the number as digits: `1500`"),
        ("properties.n > 1_000", "write the number as digits: `1000`"),
        ("properties.n > .5", "write `0.5`"),
        ("type = track", "write `'track'`"),
        ("type in [track, page]", "write `'track'`"),
        ("event = Signed Up and userId", "a text stands in quotes: `'Signed Up'`"),
        ("event == 'A'", "FQL writes `=`"),
        ("event = 'A' && userId", "FQL writes `and`"),
        ("event = 'A' || userId", "FQL writes `or`"),
        ("event = 'A' AND userId", "keywords are lower case"),
        ("userId = NULL", "keywords are lower case: `null`"),
        ("startsWith(event, 'A')", "write `match(path, 'text*')`"),
        ("exists(userId)", "write `path != null`"),
    ] {
        assert!(help(source).contains(expected), "{source}: {}", help(source));
    }
    assert_eq!(places("properties.items[0].sku = 's1'"), [(16, 23)]);
    assert_eq!(places("properties.items[ = 1"), [(16, 17)]);
    assert!(takes("properties.n in[1]", r#"{"properties":{"n":1}}"#));
}

#[test]
fn what_always_or_never_holds_gives_a_warning() {
    insta::assert_snapshot!(shown("event != 'A' or event != 'B'"), @r"
    filter:1:1: warning: this condition is always true
     1 | event != 'A' or event != 'B'
       | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    help: write `all` if every event is meant; where several values are to be ruled out, join them with `and`: `a != 'x' and a != 'y'`
    ");
    insta::assert_snapshot!(shown("event = 'A' and event = 'B'"), @r"
    filter:1:1: warning: this never holds, whatever the event: its parts contradict each other
     1 | event = 'A' and event = 'B'
       | ^^^^^^^^^^^^^^^^^^^^^^^^^^^
    help: where one of several values is meant, join them with `or`
    ");
    for meant in ["all", "true", "false"] {
        assert_eq!(shown(meant), "", "{meant}");
    }
}

#[test]
fn each_doubt_is_told_once_and_sound_expressions_have_none() {
    let messages = |source: &str| Expr::compile(source).unwrap().warnings.len();
    for doubtful in [
        "properties.x > null",
        "properties.x < '5'",
        "lowercase(event) >= 1",
        "(userId = 'a') < 2",
        "length(userId) = '3'",
        "event = 'a' and (userId = 'b' and event = 'c' or userId = 'd')",
        "'a' in 'abc'",
        "type = 'Track'",
        "'array' = typeof(properties.x)",
        "userid = 'a'",
        "event = 'a' or all",
    ] {
        assert_eq!(messages(doubtful), 1, "{doubtful}");
    }
    for sound in [
        "all",
        "properties.x > 1 and (userId or traits.y)",
        "(type = 'track' and userId) or event = 'x'",
        "length(userId) > 0",
        "userId != null or email = 'x'",
        "typeof(properties.x) = 'list'",
        "match(context.page.path, '/a*')",
        "_metadata.bundled = null",
        "number(properties.n) >= 3",
    ] {
        assert_eq!(messages(sound), 0, "{sound}: {}", shown(sound));
    }
}

proptest! {
    #[test]
    fn no_text_panics_the_compiler(source in "\\PC{0,40}") {
        let _ = shown(&source);
    }
}
