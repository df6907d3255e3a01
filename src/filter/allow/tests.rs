use super::*;
use crate::diagnostic::render;
use crate::event::Members;
use crate::json::document::with_json;
use proptest::prelude::*;

fn list(text: &str) -> AllowList {
    AllowList::parse(text).unwrap_or_else(|errors| panic!("{}", render("allow", text, &errors))).0
}

/// Returns the text of the first line of `list` that the event `json` matches.
fn taker<'l>(list: &'l AllowList, json: &str) -> Option<&'l str> {
    let line = with_json(json, |json| list.takes(&Event::new(json, &Members::of(json))))?;
    Some(&list.lines()[line].text)
}

/// Renders the errors of the list, or else its warnings.
fn shown(text: &str) -> String {
    match AllowList::parse(text) {
        Ok((_, warnings)) => render("allow", text, &warnings),
        Err(errors) => render("allow", text, &errors),
    }
}

fn track(name: &str) -> String {
    serde_json::json!({"type": "track", "event": name}).to_string()
}

#[test]
fn a_call_takes_its_events_and_a_name_its_track_events() {
    let list = list("identify\nForm Submitted\n");
    assert_eq!(taker(&list, r#"{"type":"identify"}"#), Some("identify"));
    assert_eq!(taker(&list, &track("Form Submitted")), Some("Form Submitted"));
    assert_eq!(taker(&list, &track("form submitted")), None);
    assert_eq!(taker(&list, &track("identify")), None);
    assert_eq!(taker(&list, r#"{"type":"page","event":"Form Submitted"}"#), None);
    assert_eq!(taker(&list, r#"{"event":"Form Submitted"}"#), None);
    for call in CallType::ALL {
        let json = format!(r#"{{"type":"{}"}}"#, call.name());
        assert_eq!(taker(&self::list(call.name()), &json), Some(call.name()));
    }
}

#[test]
fn a_page_is_taken_by_its_path_or_its_name() {
    let list = list("page /pricing*\npage Docs*");
    for (json, line) in [
        (r#"{"type":"page","properties":{"path":"/pricing/eu"}}"#, Some("page /pricing*")),
        (r#"{"type":"page","context":{"page":{"path":"/pricing"}}}"#, Some("page /pricing*")),
        (
            r#"{"type":"page","properties":{"path":"/x"},"context":{"page":{"path":"/pricing"}}}"#,
            None,
        ),
        (
            r#"{"type":"page","properties":{"url":"https://a.test/pricing?x"}}"#,
            Some("page /pricing*"),
        ),
        (
            r#"{"type":"page","properties":{"path":""},"context":{"page":{"url":"https://a.test/pricing"}}}"#,
            Some("page /pricing*"),
        ),
        (r#"{"type":"page","name":"Docs Home"}"#, Some("page Docs*")),
        (r#"{"type":"page","properties":{"name":"Docs"}}"#, Some("page Docs*")),
        (r#"{"type":"page","name":"Blog","properties":{"name":"Docs"}}"#, None),
        (r#"{"type":"page"}"#, None),
        (r#"{"type":"screen","name":"Docs Home"}"#, None),
        (r#"{"type":"track","event":"x","properties":{"path":"/pricing"}}"#, None),
    ] {
        assert_eq!(taker(&list, json), line, "{json}");
    }
}

#[test]
fn a_screen_is_taken_by_its_name() {
    let list = list("screen Home*");
    assert_eq!(taker(&list, r#"{"type":"screen","name":"Home 1"}"#), Some("screen Home*"));
    assert_eq!(
        taker(&list, r#"{"type":"screen","properties":{"name":"Home"}}"#),
        Some("screen Home*")
    );
    assert_eq!(taker(&list, r#"{"type":"page","name":"Home"}"#), None);
}

#[test]
fn an_expression_takes_what_it_holds_for() {
    let list = list(
        "fql: event in ['A', 'B'] and properties.n > 1\nfql:type = 'group'\nfql: userId = 'x'",
    );
    let event = |name: &str, n: i32| {
        format!(r#"{{"type":"track","event":"{name}","properties":{{"n":{n}}}}}"#)
    };
    assert!(taker(&list, &event("A", 2)).is_some_and(|line| line.starts_with("fql: event in")));
    assert_eq!(taker(&list, &event("A", 1)), None);
    assert_eq!(taker(&list, &event("C", 2)), None);
    assert_eq!(taker(&list, r#"{"type":"group"}"#), Some("fql:type = 'group'"));
    assert_eq!(taker(&list, r#"{"type":"alias","userId":"x"}"#), Some("fql: userId = 'x'"));
}

#[test]
fn the_first_line_that_takes_an_event_is_told() {
    let all_last = list("A\nfql: event = 'A'\ntrack\nfql: all");
    assert_eq!(taker(&all_last, &track("A")), Some("A"));
    assert_eq!(taker(&all_last, &track("B")), Some("track"));
    assert_eq!(taker(&all_last, r#"{"type":"alias"}"#), Some("fql: all"));
    let all_first = list("fql: all\nfql: event = 'A'\nA\ntrack");
    assert_eq!(taker(&all_first, &track("A")), Some("fql: all"));
    let by_name = list("fql: event = 'A'\nfql: type = 'track'\nA");
    assert_eq!(taker(&by_name, &track("A")), Some("fql: event = 'A'"));
}

#[test]
fn comments_and_blank_lines_are_skipped_and_numbers_count_them() {
    let list = list(
        "\u{feff}# head\r\n\r\n  identify  # people\r\nOrder #1\r\nItem#\n\
         fql: event = 'a # b' # c\npage /x#y\n#Order",
    );
    let lines: Vec<_> = list.lines().iter().map(|line| (line.number, &*line.text)).collect();
    assert_eq!(
        lines,
        [
            (3, "identify"),
            (4, "Order #1"),
            (5, "Item#"),
            (6, "fql: event = 'a # b'"),
            (7, "page /x#y"),
        ]
    );
}

#[test]
fn an_empty_list_takes_nothing() {
    assert_eq!(taker(&list("# nothing\n"), &track("A")), None);
}

#[test]
fn errors_of_all_lines_have_their_places() {
    insta::assert_snapshot!(shown("identify\n  fql: event == 'A' and nope(b)\npage /a[\nFQL: all\nfql:"), @r"
    allow:2:14: error: expected `=`, found `==`
     2 |   fql: event == 'A' and nope(b)
       |              ^^
    help: FQL writes `=`

    allow:2:25: error: expected the name of a function, found `nope`
     2 |   fql: event == 'A' and nope(b)
       |                         ^^^^
    help: the functions are contains, match, length, lowercase, uppercase, snakecase, kebabcase, titlecase, typeof, bool, string, number

    allow:3:8: error: expected a `]` that closes this `[`
     3 | page /a[
       |        ^
    help: in a pattern a backslash makes the next character literal

    allow:4:1: error: expected `fql:` before an expression
     4 | FQL: all
       | ^^^
    help: such as `fql: event = 'Form Submitted'`

    allow:5:5: error: expected an expression, found nothing
     5 | fql:
       |     ^
    ");
}

#[test]
fn names_that_look_like_another_line_get_a_warning() {
    for (text, help) in [
        ("Identify", "did you mean `identify`?"),
        ("pages", "did you mean `page`?"),
        ("pages /x*", "did you mean `page /x*`?"),
        ("Page: /x", "did you mean `page /x`?"),
        ("track Form Submitted", "the name of an event stands alone: `Form Submitted`"),
        ("\"Form Submitted\"", "write the name without quotes"),
        ("event = 'A'", "did you mean `fql: event = 'A'`?"),
        ("Form *", "names have no wildcards; write `fql: match(event, 'Form *')`"),
    ] {
        let (list, warnings) = AllowList::parse(text).unwrap();
        let helps: Vec<_> = warnings.iter().filter_map(|warning| warning.help.as_deref()).collect();
        assert_eq!(helps, [help], "{text}");
        assert_eq!(taker(&list, &track(text)), Some(text), "a warning changes nothing");
    }
    for text in ["Page Viewed", "Screen Locked", "Form Submitted", "Order #1", "a: b"] {
        assert_eq!(shown(text), "", "{text}");
    }
}

#[test]
fn a_line_that_stands_twice_gets_a_warning() {
    insta::assert_snapshot!(shown("A\ntrack\n\n A\ntrack"), @r"
    allow:4:2: warning: line 1 says the same already
     4 |  A
       |  ^

    allow:5:1: warning: line 2 says the same already
     5 | track
       | ^^^^^
    ");
}

#[test]
fn entries_of_a_rules_file_are_read_one_by_one() {
    let entries = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let (list, warnings) =
        AllowList::from_lines(&entries(&["identify", " Order # 1", "fql: plan = 1"])).unwrap();
    assert_eq!(taker(&list, &track("Order # 1")), Some("Order # 1"));
    assert_eq!(list.lines()[2].number, 3);
    let places: Vec<_> =
        warnings.into_iter().map(|(place, warning)| (place, warning.span)).collect();
    assert_eq!(places, [(2, 5..9)]);

    let errors =
        AllowList::from_lines(&entries(&["A", "fql: ==", "page [", "Identify"])).unwrap_err();
    let places: Vec<_> = errors.into_iter().map(|(place, error)| (place, error.span)).collect();
    assert_eq!(places, [(1, 5..7), (1, 7..7), (2, 5..6)]);
}

proptest! {
    #[test]
    fn no_text_panics(text in "(\\PC|[\\n\\r\\t #'\"]|fql:|page |identify){0,30}") {
        shown(&text);
    }

    #[test]
    fn the_index_finds_what_trying_every_line_finds(
        lines in prop::collection::vec(
            prop::sample::select(&[
                "A", "B", "track", "page", "page /a*", "screen A", "fql: event = 'A'",
                "fql: type = 'track' and userId = 'u'", "fql: event = 'B' or type = 'page'", "fql: userId",
                "fql: name in ['A']", "identify",
            ][..]),
            0..8,
        ),
        call in prop::sample::select(&["track", "page", "screen", "identify"][..]),
        name in prop::sample::select(&["A", "B", "C"][..]),
        path in prop::sample::select(&["/a", "/b"][..]),
    ) {
        let json = format!(
            r#"{{"type":"{call}","event":"{name}","name":"{name}","userId":"u","properties":{{"path":"{path}"}}}}"#
        );
        let whole = list(&lines.join("\n"));
        let expected = lines.iter().find(|line| taker(&list(line), &json).is_some());
        prop_assert_eq!(taker(&whole, &json), expected.copied());
    }
}
