use proptest::prelude::*;

use crate::event::{Event, Members};
use crate::fql::Expr;
use crate::json::document::with_json;

fn constant(source: &str) -> Option<bool> {
    Expr::compile(source).unwrap().expr.constant()
}

#[test]
fn what_contradicts_itself_never_holds() {
    for source in [
        "type = 'identify' and type = 'group'",
        "event = 'A' and event != 'A'",
        "event = 'A' and !(event in ['A', 'B'])",
        "event in ['A', 'B'] and event in ['C', 'D']",
        "(event = 'A' or event = 'B') and event = 'C'",
        "properties.n > 5 and properties.n < 3",
        "properties.n > 5 and 5 >= properties.n",
        "properties.n >= 5 and properties.n = 4",
        "properties.n > 5 and properties.n = 'x'",
        "properties.n = 1 and properties.n = 2",
        "userId and userId = 'u'",
        "userId = null and userId = 'u'",
        "length(userId) = 0 and length(userId) = 1",
        "contains(event, 'A') and !contains(event, 'A')",
        "type = 'Track'",
        "1 > 2",
        "length('ab') = 3",
        "!(type in ['identify', 'track', 'page', 'screen', 'group', 'alias'])",
        "event in []",
    ] {
        assert_eq!(constant(source), Some(false), "{source}");
        assert_eq!(constant(&format!("!({source})")), Some(true), "!({source})");
    }
}

#[test]
fn what_cannot_be_false_always_holds() {
    for source in [
        "all",
        "!(event = 'A') or !(event = 'B')",
        "event != 'A' or event != 'B'",
        "event = 'A' or event != 'A'",
        "properties.n > 5 or !(properties.n > 5)",
        "!(type = 'identify' and type = 'group')",
    ] {
        assert_eq!(constant(source), Some(true), "{source}");
    }
}

#[test]
fn nothing_is_claimed_of_what_may_hold() {
    for source in [
        "event = 'A'",
        "event = 'A' or event = 'B'",
        "event != 'A' and event != 'B'",
        "properties.n = 1 and properties.n = 1.0",
        "properties.n > 5 or properties.n <= 5",
        "properties.n >= 5 and properties.n <= 5",
        "!(properties.n > 5) and !(properties.n < 9)",
        "properties.tags = ['a'] and properties.tags != ['b']",
        "userId or !anonymousId",
        "type = 'track' and event = 'A'",
    ] {
        assert_eq!(constant(source), None, "{source}");
    }
}

#[test]
fn giant_expressions_are_given_up() {
    let clause = |n: usize| format!("(event = 'A{n}' or properties.p{n} = {n})");
    let many = (0..20_000).map(clause).collect::<Vec<_>>().join(" and ");
    assert_eq!(constant(&many), None);
}

fn expressions() -> impl Strategy<Value = String> {
    let path = prop::sample::select(&["event", "type", "userId", "properties.n"][..]);
    let value = prop::sample::select(&["'A'", "'track'", "null", "1", "1.0", "2", "true"][..]);
    let operator = prop::sample::select(&["=", "!=", ">", "<", ">=", "<="][..]);
    let list = prop::collection::vec(value.clone(), 0..4).prop_map(|items| items.join(", "));
    let leaf = prop_oneof![
        (path.clone(), operator.clone(), value.clone())
            .prop_map(|(p, o, v)| format!("{p} {o} {v}")),
        (value, operator, path.clone()).prop_map(|(v, o, p)| format!("{v} {o} {p}")),
        (path.clone(), list).prop_map(|(path, list)| format!("{path} in [{list}]")),
        path.clone().prop_map(str::to_owned),
        path.prop_map(|path| format!("contains({path}, 'A')")),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(" and "))),
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(" or "))),
            inner.prop_map(|part| format!("!({part})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn no_event_contradicts_what_is_claimed(
        source in expressions(),
        call in prop::sample::select(&["track", "page", "alias"][..]),
        event in prop::sample::select(&["\"A\"", "\"track\"", "null", "1", "true"][..]),
        user in prop::sample::select(&["\"A\"", "\"B\"", "null", "2", "true"][..]),
        n in prop::sample::select(&["1", "1.0", "2", "1.5", "-7", "\"A\"", "null", "true", "[1]"][..]),
    ) {
        if let Some(claimed) = constant(&source) {
            let text = format!(r#"{{"type":"{call}","event":{event},"userId":{user},"properties":{{"n":{n}}}}}"#);
            let holds = with_json(&text, |json| {
                let members = Members::of(json);
                Expr::compile(&source).unwrap().expr.holds(&Event::new(json, &members))
            });
            prop_assert_eq!(holds, claimed);
        }
    }
}
