//! Expressions, compiled and evaluated.

mod cost;
mod diagnostics;

use proptest::prelude::*;

use super::*;
use crate::diagnostic::render;
use crate::event::{Event, Members};
use crate::json::document::with_json;

/// Returns `true` if `source` holds for the event `json`.
fn takes(source: &str, json: &str) -> bool {
    let compiled = Expr::compile(source)
        .unwrap_or_else(|errors| panic!("{}", render("test", source, &errors)));
    with_json(json, |json| compiled.expr.holds(&Event::new(json, &Members::of(json))))
}

/// Checks pairs of an expression and its expected result for the event `json`.
fn verdicts(json: &str, cases: &[(&str, bool)]) {
    for (source, verdict) in cases {
        assert_eq!(takes(source, json), *verdict, "{source}");
    }
}

const SIGNUP: &str = r#"{
    "type": "track", "event": "Signed Up", "userId": "u1", "email": "x",
    "context": {"page": {"path": "/signup"}, "library": {"name": "web.js", "version": "2.4"}},
    "properties": {
        "plan": "pro", "seats": 5, "price": 19.99, "trial": true, "paid": false, "none": null,
        "tags": ["new", "eu"], "product 1": {"price": "9"}, "a.b": "dot", "in": "kw",
        "o": {"x": 1, "y": [2]}, "p": {"y": [2.0], "x": 1}, "dup": {"x": 3, "x": 1, "y": [2]},
        "id": 9007199254740993, "big": 18446744073709551615, "name": "ana van Dam", "u": "Ñandú",
        "n": "12.50", "items": [{"sku": "s1"}, {"sku": "s2"}], "empty": [], "blank": ""
    }
}"#;

#[test]
fn paths_lead_to_fields_and_a_missing_one_is_null() {
    verdicts(
        SIGNUP,
        &[
            ("event = 'Signed Up'", true),
            (r#"event = "signed up""#, false),
            ("context.page.path = '/signup'", true),
            ("context.path.path = '/signup'", false),
            (r"properties.product\ 1.price = '9'", true),
            (r"properties.a\.b = 'dot'", true),
            ("properties.items.1.sku = 's2'", true),
            ("properties.items.2.sku = null", true),
            ("properties.in = 'kw'", true),
            ("properties.nothing = null", true),
            ("properties.none = null", true),
            ("properties.plan.deeper = null", true),
            ("properties.plan != null", true),
            ("email = 'x'", true),
        ],
    );
}

#[test]
fn equality_is_strict_by_type() {
    verdicts(
        SIGNUP,
        &[
            ("properties.seats = 5", true),
            ("properties.seats = 5.0", true),
            ("properties.seats = '5'", false),
            ("properties.seats != '5'", true),
            ("properties.trial = true", true),
            ("properties.trial = 1", false),
            ("properties.paid = null", false),
            ("properties.blank = null", false),
            ("properties.tags = ['new', 'eu']", true),
            ("['new', 'eu'] = properties.tags", true),
            ("properties.tags = ['eu', 'new']", false),
            ("properties.tags = ['new']", false),
            ("properties.empty = []", true),
            ("[1, properties.seats] = [1.0, 5]", true),
            ("properties.o = properties.p", true),
            ("properties.o = properties.dup", true),
            ("properties.o = properties.tags", false),
            ("(1 = 1) = true", true),
        ],
    );
}

#[test]
fn numbers_compare_exactly_and_nothing_else_has_an_order() {
    verdicts(
        SIGNUP,
        &[
            ("properties.seats > 4", true),
            ("properties.seats >= 5", true),
            ("properties.seats < 5", false),
            ("properties.seats <= 5.0", true),
            ("properties.price > 19.98", true),
            ("-1 < +0.5", true),
            ("properties.id = 9007199254740993", true),
            ("properties.id = 9007199254740992", false),
            ("properties.id > 9007199254740992", true),
            ("properties.big = 18446744073709551615", true),
            ("properties.big > 18446744073709551614", true),
            ("'b' > 'a'", false),
            ("'b' <= 'b'", false),
            ("properties.nothing < 1", false),
            ("properties.n > 1", false),
            ("true >= true", false),
        ],
    );
}

#[test]
fn in_looks_into_lists_only() {
    verdicts(
        SIGNUP,
        &[
            ("type in ['track', 'page']", true),
            ("type in ['identify']", false),
            ("type in []", false),
            ("'eu' in properties.tags", true),
            ("'us' in properties.tags", false),
            ("properties.seats in [1, 5.0]", true),
            ("null in [properties.nothing]", true),
            ("'pro' in properties.plan", false),
            ("'pro' in properties.nothing", false),
            ("'x' in properties.o", false),
            ("event in ['1','2','3','4','5','6','7','Signed Up','8']", true),
            ("event in ['1','2','3','4','5','6','7','9','8']", false),
            ("properties.seats in ['1','2','3','4','5','6','7','8']", false),
            ("!(type in ['track', 'identify'])", false),
        ],
    );
}

#[test]
fn logic_takes_true_alone_as_true() {
    verdicts(
        SIGNUP,
        &[
            ("true", true),
            ("false", false),
            ("null", false),
            ("1", false),
            ("'true'", false),
            ("properties.trial", true),
            ("properties.plan", false),
            ("properties.trial and properties.plan", false),
            ("properties.plan or properties.trial", true),
            ("!properties.plan", true),
            ("!properties.nothing", true),
            ("!!properties.trial", true),
        ],
    );
}

#[test]
fn or_binds_weaker_than_and_and_that_than_not_and_that_than_a_comparison() {
    verdicts(
        "{}",
        &[
            ("true or true and false", true),
            ("(true or true) and false", false),
            ("false and false or true", true),
            ("!true or true", true),
            ("!(true or true)", false),
            ("!false and false", false),
            ("!1 = 2", true),
            ("!1 = 1 or false", false),
            ("! ! true = true", true),
            ("1 = 1 and 2 in [2] and !(3 < 2)", true),
        ],
    );
}

#[test]
fn all_alone_takes_every_event() {
    assert!(takes("all", "{}") && takes(" \r\n\tall ", SIGNUP));
    assert!(!takes("(all)", "{}") && takes("all", r#"{"all": false}"#));
}

#[test]
fn blanks_may_be_any_of_four_and_may_be_missing() {
    assert!(takes("\r\n type\t=\n'track'\rand(event!='x')", SIGNUP));
}

#[test]
fn contains_and_match_take_strings_only() {
    verdicts(
        SIGNUP,
        &[
            ("contains(event, 'Up')", true),
            ("contains(event, 'up')", false),
            ("contains(event, '')", true),
            ("contains(null, string)", false),
            ("contains(properties.seats, '5')", false),
            ("contains(properties.tags, 'eu')", false),
            ("contains(event, null)", false),
            ("match(event, 'Sign* ?p')", true),
            ("match(event, 'Signed')", false),
            ("match(null, '*')", false),
            ("match(null, string)", false),
            ("match(properties.seats, '*')", false),
            ("match('new', properties.tags.0)", true),
        ],
    );
    let pattern = |pattern: &str| format!(r#"{{"properties": {{"p": "{pattern}"}}}}"#);
    assert!(takes("match('a1', properties.p)", &pattern("a[0-9]")));
    assert!(!takes("match('[a', properties.p)", &pattern("[a")), "malformed, but no literal");
}

#[test]
fn length_counts_bytes_and_items() {
    verdicts(
        SIGNUP,
        &[
            ("length('a') = 1", true),
            ("length('ア') = 3", true),
            ("length(properties.tags) = 2", true),
            ("length(['a', 'b', 'c']) = 3", true),
            ("length(null) = 0", true),
            ("length(userId) > 0", true),
            ("length(groupId) > 0", false),
            ("length(properties.seats) = null", true),
            ("length(properties.o) = null", true),
        ],
    );
}

#[test]
fn case_functions_change_strings_and_leave_null() {
    verdicts(
        SIGNUP,
        &[
            ("lowercase(event) = 'signed up'", true),
            ("uppercase(event) = 'SIGNED UP'", true),
            ("lowercase(properties.u) = 'ñandú'", true),
            ("uppercase(properties.u) = 'ÑANDÚ'", true),
            ("snakecase('test string x') = 'test_string_x'", true),
            ("kebabcase('test string') = 'test-string'", true),
            ("snakecase('Test') = 'Test'", true),
            ("titlecase('test string') = 'Test String'", true),
            ("titlecase(properties.name) = 'Ana Van Dam'", true),
            ("snakecase(lowercase(event)) = 'signed_up'", true),
            ("lowercase(null) = null", true),
            ("titlecase(properties.nothing) = null", true),
            ("uppercase(properties.seats) = null", true),
        ],
    );
}

#[test]
fn typeof_names_every_type() {
    verdicts(
        SIGNUP,
        &[
            ("typeof(event) = 'string'", true),
            ("typeof(properties.seats) = 'number'", true),
            ("typeof(properties.tags) = 'list'", true),
            ("typeof([]) = 'list'", true),
            ("typeof(properties.trial) = 'bool'", true),
            ("typeof(1 = 2) = 'bool'", true),
            ("typeof(null) = 'null'", true),
            ("typeof(properties.nothing) = 'null'", true),
            ("typeof(properties.o) = 'object'", true),
        ],
    );
}

#[test]
fn values_convert_to_bool_string_and_number() {
    verdicts(
        SIGNUP,
        &[
            ("bool('true')", true),
            ("bool('False')", false),
            ("bool('0')", false),
            ("bool('')", false),
            ("bool(1)", true),
            ("bool(0.0)", false),
            ("bool(properties.tags)", true),
            ("bool(properties.empty)", false),
            ("bool(null) = false", true),
            ("string(properties.seats) = '5'", true),
            ("string(1.50) = '1.5'", true),
            ("string(true) = 'true'", true),
            ("string(null) = ''", true),
            (r#"string(properties.tags) = '["new","eu"]'"#, true),
            (r#"string([1, 'a', null]) = '[1,"a",null]'"#, true),
            (r#"string(properties.o) = '{"x":1,"y":[2]}'"#, true),
            (r#"string(properties.dup) = '{"x":1,"y":[2]}'"#, true),
            ("number(properties.n) = 12.5", true),
            ("number(properties.seats) = 5", true),
            ("number('9007199254740993') = properties.id", true),
            ("number('twelve') = null", true),
            ("number(null) = null", true),
            ("number(properties.trial) = null", true),
        ],
    );
}

#[test]
fn a_duplicate_member_counts_as_its_last() {
    assert!(takes("event = 'B'", r#"{"event":"A","event":"B"}"#));
    assert!(takes("properties.x = 2", r#"{"properties":{"x":1,"x":2}}"#));
}

#[test]
fn an_expression_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + std::fmt::Debug>() {}
    shared::<Expr>();
}

proptest! {
    #[test]
    fn no_jumble_of_tokens_panics_and_every_error_has_a_place(
        tokens in prop::collection::vec(
            prop::sample::select(&[
                "event", "type", "'x'", "1.5", "and", "or", "in", "!", "=", "!=", ">=", "(", ")",
                "[", "]", ",", "true", "null", "match", "length", "contains", "'[a'", "\\", ".",
                "AND", "==", "“", "é", "'", "all", "not",
            ][..]),
            0..20,
        ),
        joint in prop::sample::select(&["", " "][..]),
    ) {
        let source = tokens.join(joint);
        match Expr::compile(&source) {
            Ok(compiled) => {
                with_json(SIGNUP, |json| compiled.expr.holds(&json));
            }
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                for error in &errors {
                    prop_assert!(source.get(error.span.clone()).is_some(), "{:?}", error);
                }
            }
        }
    }
}
