use super::*;
use crate::diagnostic::render;
use crate::event::{Member, Members};
use crate::json::canonical::Canonical;
use crate::json::document::with_json;

mod file;

/// Parses the filters of `text`, which must be valid.
fn filters(text: &str) -> DestinationFilters {
    match DestinationFilters::parse(text) {
        Ok((filters, _)) => filters,
        Err(faults) => panic!("{}", render("filters.json", text, &faults)),
    }
}

/// Returns the text of one filter for events for which `condition` holds.
fn filter(condition: &str, actions: &str) -> String {
    let condition = serde_json::to_string(condition).unwrap();
    format!(r#"{{"title":"t","if":{condition},"enabled":true,"actions":[{actions}]}}"#)
}

fn list(filters: &[String]) -> String {
    format!("[{}]", filters.join(","))
}

/// Returns the rest of `event` in canonical form and the filters that changed it, or why it was
/// dropped.
fn outcome(text: &str, event: &str) -> Result<(String, Vec<usize>), Dropped> {
    let filters = filters(text);
    with_json(event, |json| {
        let mut scratch = Scratch::default();
        let members = Members::of(json);
        let event = Event::new(json, &members);
        filters.apply(&event, Detection::EitherId, &mut scratch, |verdict, left| {
            let by = match verdict {
                Verdict::Dropped(dropped) => return Err(dropped),
                Verdict::Changed(by) => by.to_vec(),
                Verdict::Untouched => Vec::new(),
            };
            let mut out = Vec::new();
            Canonical::default().write(left.root(), &mut out);
            Ok((String::from_utf8(out).unwrap(), by))
        })
    })
}

fn left(text: &str, event: &str) -> String {
    outcome(text, event).unwrap().0
}

fn dropped(text: &str, event: &str) -> (usize, usize, Cause) {
    let Dropped { filter, action, cause } = outcome(text, event).unwrap_err();
    (filter, action, cause)
}

/// Returns an event of the user `user-1` with `properties`.
fn event(properties: &str) -> String {
    format!(
        r#"{{"anonymousId":"a","context":{{"ip":"1.2.3.4","page":{{"url":"u"}}}},"event":"E","messageId":"m1","properties":{properties},"type":"track","userId":"user-1"}}"#
    )
}

const DROP: &str = r#"{"type":"DROP"}"#;

#[test]
fn an_event_of_which_the_if_is_true_is_dropped() {
    let text = filter("event = 'E' and properties.n > 1", DROP);
    assert_eq!(dropped(&text, &event(r#"{"n":2}"#)), (0, 0, Cause::Dropped));
    let untouched = event(r#"{"n":1}"#);
    assert_eq!(outcome(&text, &untouched), Ok((untouched, vec![])));
    assert_eq!(dropped(&filter("all", DROP), &event("{}")), (0, 0, Cause::Dropped));
    // "Only Sends" filters are drops of everything else.
    let only = filter("!(type = 'track')", DROP);
    assert!(outcome(&only, &event("{}")).is_ok());
    assert!(outcome(&only, &event("{}").replace("track", "page")).is_err());
}

#[test]
fn properties_are_dropped_at_any_depth_and_in_every_item_of_a_list() {
    let drops =
        |fields: &str| filter("all", &format!(r#"{{"type":"DROP_PROPERTIES","fields":{fields}}}"#));
    for (fields, properties, expected) in [
        (r#"{"properties":["b","x"]}"#, r#"{"a":1,"b":{"c":2},"d":3}"#, r#"{"a":1,"d":3}"#),
        (r#"{"properties.b.c":["d"]}"#, r#"{"b":{"c":{"d":1,"e":2}}}"#, r#"{"b":{"c":{"e":2}}}"#),
        (
            r#"{"properties.items":["price"]}"#,
            r#"{"items":[{"price":1,"sku":"a"},7,{"sku":"b"},{"price":null}]}"#,
            r#"{"items":[{"sku":"a"},7,{"sku":"b"},{}]}"#,
        ),
        (
            r#"{"properties.items.size":["w"]}"#,
            r#"{"items":[{"size":{"h":1,"w":2}},[{"size":[{"w":3}]}]]}"#,
            r#"{"items":[{"size":{"h":1}},[{"size":[{}]}]]}"#,
        ),
        (
            r#"{"properties.items.1":["w"]}"#,
            r#"{"items":[{"w":1},{"w":2}]}"#,
            r#"{"items":[{"w":1},{}]}"#,
        ),
        (r#"{"properties.a\\.b":["c"]}"#, r#"{"a.b":{"c":1}}"#, r#"{"a.b":{}}"#),
        (r#"{"properties":["a"]}"#, r#"{"a":1,"a":2,"b":3}"#, r#"{"b":3}"#),
    ] {
        assert_eq!(left(&drops(fields), &event(properties)), event(expected), "{fields}");
    }
    for fields in [
        r#"{"properties":["x"]}"#,
        r#"{"properties.x.y":["z"]}"#,
        r#"{"properties.a":["b"]}"#,
        r#"{"properties.items.7":["a"]}"#,
        r#"{"properties":[]}"#,
        "{}",
    ] {
        let whole = event(r#"{"a":1,"items":["a"]}"#);
        assert_eq!(outcome(&drops(fields), &whole), Ok((whole, vec![])), "{fields}");
    }
}

#[test]
fn only_allowed_properties_are_left_of_the_objects_that_are_named() {
    let allows = |fields: &str| {
        filter("all", &format!(r#"{{"type":"ALLOW_PROPERTIES","fields":{fields}}}"#))
    };
    for (fields, properties, expected) in [
        (r#"{"properties":["b","x"]}"#, r#"{"a":1,"b":{"c":2},"d":3}"#, r#"{"b":{"c":2}}"#),
        (r#"{"properties.b":["c"]}"#, r#"{"a":1,"b":{"c":2,"d":3}}"#, r#"{"a":1,"b":{"c":2}}"#),
        (r#"{"properties":[]}"#, r#"{"a":1}"#, "{}"),
        (
            r#"{"properties.items":["sku"]}"#,
            r#"{"items":[{"price":1,"sku":"a"},"x",{"price":2}]}"#,
            r#"{"items":[{"sku":"a"},"x",{}]}"#,
        ),
        (r#"{"traits":["a"]}"#, r#"{"a":1}"#, r#"{"a":1}"#),
        (
            r#"{"properties.b":["c"],"properties":["b"]}"#,
            r#"{"a":1,"b":{"c":2,"d":3}}"#,
            r#"{"b":{"c":2}}"#,
        ),
    ] {
        assert_eq!(left(&allows(fields), &event(properties)), event(expected), "{fields}");
    }
}

#[test]
fn the_empty_path_is_the_event_itself() {
    let text = filter("all", r#"{"type":"DROP_PROPERTIES","fields":{"":["context","userId"]}}"#);
    assert_eq!(
        left(&text, &event("{}")),
        r#"{"anonymousId":"a","event":"E","messageId":"m1","properties":{},"type":"track"}"#
    );
    let text =
        filter("all", r#"{"type":"ALLOW_PROPERTIES","fields":{"":["type","userId","messageId"]}}"#);
    assert_eq!(left(&text, &event("{}")), r#"{"messageId":"m1","type":"track","userId":"user-1"}"#);
}

#[test]
fn what_is_no_event_any_more_is_not_sent() {
    for gone in ["type", "messageId"] {
        let fields = format!(r#"{{"type":"DROP_PROPERTIES","fields":{{"":["{gone}"]}}}}"#);
        let text = list(&[filter("all", &fields)]);
        assert_eq!(dropped(&text, &event("{}")), (0, 0, Cause::Unrecognised), "{gone}");
    }
    let no_ids = r#"{"type":"DROP_PROPERTIES","fields":{"":["anonymousId","userId"]}}"#;
    assert_eq!(dropped(&filter("all", no_ids), &event("{}")).2, Cause::Unrecognised);

    let no_anonymous_id =
        filters(&filter("all", r#"{"type":"DROP_PROPERTIES","fields":{"":["anonymousId"]}}"#));
    with_json(&event("{}"), |json| {
        let members = Members::of(json);
        let (event, scratch) = (Event::new(json, &members), &mut Scratch::default());
        let verdict = no_anonymous_id.judge(&event, Detection::EitherId, scratch);
        assert_eq!(verdict, Verdict::Changed(&[0]));
        let verdict = no_anonymous_id.judge(&event, Detection::AnonymousId, scratch);
        assert!(matches!(verdict, Verdict::Dropped(Dropped { cause: Cause::Unrecognised, .. })));
    });
}

#[test]
fn actions_come_in_the_order_of_segment_and_not_of_the_file() {
    let allow = filter("all", r#"{"type":"ALLOW_PROPERTIES","fields":{"properties":["a","b"]}}"#);
    let drop_b = filter("all", r#"{"type":"DROP_PROPERTIES","fields":{"properties":["b"]}}"#);
    let drop = filter("properties.secret = true", DROP);
    let sample = filter("properties.none = true", r#"{"type":"SAMPLE","percent":0}"#);
    let text = list(&[allow, drop_b, drop, sample]);
    // The condition of the drop reads a property that an earlier filter of the file removes.
    assert_eq!(dropped(&text, &event(r#"{"secret":true}"#)), (2, 0, Cause::Dropped));
    let both = event(r#"{"secret":true,"none":true}"#);
    assert_eq!(dropped(&text, &both), (3, 0, Cause::Sampled));
    let (left, by) = outcome(&text, &event(r#"{"a":1,"b":2,"c":3}"#)).unwrap();
    assert_eq!((left, by), (event(r#"{"a":1}"#), vec![1, 0]));

    // The actions of one filter run in the same order.
    let text = filter("all", r#"{"type":"DROP"},{"type":"SAMPLE","percent":0,"path":"userId"}"#);
    assert_eq!(dropped(&text, &event("{}")), (0, 1, Cause::Sampled));
}

#[test]
fn an_if_is_judged_on_what_the_actions_before_it_left() {
    let drop_plan = filter("all", r#"{"type":"DROP_PROPERTIES","fields":{"properties":["plan"]}}"#);
    let if_plan = filter(
        "properties.plan = 'pro'",
        r#"{"type":"DROP_PROPERTIES","fields":{"properties":["a"]}}"#,
    );
    let whole = event(r#"{"a":1,"plan":"pro"}"#);
    assert_eq!(left(&list(&[drop_plan.clone(), if_plan.clone()]), &whole), event(r#"{"a":1}"#));
    assert_eq!(left(&list(&[if_plan, drop_plan]), &whole), event("{}"));

    // A filter that removes what its own condition reads still runs its other actions.
    let both = filter(
        "properties.plan = 'pro'",
        r#"{"type":"ALLOW_PROPERTIES","fields":{"properties":["a"]}},
           {"type":"DROP_PROPERTIES","fields":{"properties":["plan"]}}"#,
    );
    assert_eq!(
        outcome(&both, &event(r#"{"a":1,"b":2,"plan":"pro"}"#)),
        Ok((event(r#"{"a":1}"#), vec![0]))
    );
}

#[test]
fn a_sample_by_a_path_is_told_by_the_hash_of_the_value() {
    let sent = |percent: &str, path: &str| {
        let action = format!(r#"{{"type":"SAMPLE","percent":{percent},"path":{path}}}"#);
        outcome(&filter("all", &action), &event(r#"{"n":42}"#)).is_ok()
    };
    // python3 -c 'import hashlib; print(int(hashlib.md5(b"\"user-1\"").hexdigest()[:16], 16) / 2**64)'
    for (path, share) in [
        (r#""userId""#, 0.717_010_742_1),             // "user-1"
        (r#""properties.n""#, 0.632_091_933_9),       // 42
        (r#""properties.missing""#, 0.217_378_950_9), // null
        (r#""""#, 0.415_277_918_5),                   // "m1", the messageId
        ("null", 0.415_277_918_5),
    ] {
        assert!(sent(&(share + 1e-9).to_string(), path), "{path}");
        assert!(!sent(&(share - 1e-9).to_string(), path), "{path}");
        assert!(!sent("0", path) && !sent("-1", path) && !sent("0.0", path), "{path}");
        assert!(sent("1", path) && sent("1.0", path) && sent("50", path), "{path}");
    }
}

#[test]
fn only_a_sample_without_a_path_is_an_estimate() {
    let estimate = |action: &str| filters(&filter("all", action)).is_estimate();
    assert!(estimate(r#"{"type":"SAMPLE","percent":0.5}"#));
    assert!(!estimate(r#"{"type":"SAMPLE","percent":0.5,"path":"userId"}"#));
    assert!(!estimate(r#"{"type":"SAMPLE","percent":0}"#));
    assert!(!estimate(r#"{"type":"SAMPLE","percent":1}"#));
    assert!(!estimate(DROP));
    let disabled = filter("all", r#"{"type":"SAMPLE","percent":0.5}"#).replace("true", "false");
    assert!(!filters(&disabled).is_estimate());
}

#[test]
fn numbers_and_texts_stay_as_they_were() {
    let text = filter("all", r#"{"type":"DROP_PROPERTIES","fields":{"context":["ip"]}}"#);
    let whole = event(
        r#"{"a":9007199254740993,"b":18446744073709551615,"c":1.5,"d":"é\n\"","e":[true,null]}"#,
    );
    assert_eq!(left(&text, &whole), whole.replace(r#""ip":"1.2.3.4","#, ""));
}

#[test]
fn what_a_batch_lends_is_filtered_too() {
    let text = filter(
        "context.ip = '1.2.3.4'",
        r#"{"type":"DROP_PROPERTIES","fields":{"context":["ip"],"":["sentAt"]}}"#,
    );
    let filters = filters(&text);
    let batch =
        r#"{"context":{"ip":"1.2.3.4","app":"x"},"sentAt":"s","integrations":{"All":true}}"#;
    let seen = |event: &str| {
        with_json(batch, |batch| {
            let members = Members::of(batch);
            let batch = Event::new(batch, &members);
            with_json(event, |json| {
                let members = Members::of(json);
                let mut event = Event::new(json, &members);
                event.fill_from(&batch);
                filters.apply(&event, Detection::EitherId, &mut Scratch::default(), |_, left| {
                    [Member::Context, Member::SentAt, Member::Integrations].map(|member| {
                        left.get(member).map(|value| {
                            let mut out = Vec::new();
                            Canonical::default().write(value, &mut out);
                            String::from_utf8(out).unwrap()
                        })
                    })
                })
            })
        })
    };
    let bare = r#"{"type":"track","messageId":"m","userId":"u"}"#;
    let all = Some(r#"{"All":true}"#.to_owned());
    assert_eq!(seen(bare), [Some(r#"{"app":"x"}"#.into()), None, all.clone()]);
    // A removed member of the event is not replaced by that of the batch.
    let own = r#"{"type":"track","messageId":"m","userId":"u","sentAt":"mine","context":{"ip":"1.2.3.4"}}"#;
    assert_eq!(seen(own), [Some("{}".into()), None, all]);
}

#[test]
fn disabled_filters_do_nothing() {
    let text = filter("all", DROP).replace(r#""enabled":true"#, r#""enabled":false"#);
    assert!(outcome(&text, &event("{}")).is_ok());
    let text = filter("all", DROP).replace(r#""enabled":true,"#, "");
    assert!(outcome(&text, &event("{}")).is_err(), "a filter is enabled if nothing is said");
}

#[test]
fn a_filter_whose_if_does_not_compile_drops_everything() {
    let strip = r#"{"type":"DROP_PROPERTIES","fields":{"context":["ip"]}}"#;
    let text = list(&[filter("all", DROP), filter("event ==", strip)]);
    assert_eq!(dropped(&text, &event("{}")), (1, 0, Cause::Invalid));
    let filters = filters(&text);
    assert!(filters.filters()[0].faults().is_empty());
    assert!(!filters.filters()[1].faults().is_empty());
}

#[test]
fn filters_for_other_names_are_skipped_without_a_change_of_order() {
    let mut all: Vec<String> = (0..50).map(|n| filter(&format!("event = 'E{n}'"), DROP)).collect();
    all.insert(10, filter("type = 'page'", DROP));
    all.insert(20, filter("contains(event, '7')", DROP));
    let text = list(&all);
    let of =
        |name: &str| outcome(&text, &event("{}").replace(r#""E""#, name)).map_err(|d| d.filter);
    assert_eq!(of(r#""E7""#), Err(7));
    assert_eq!(of(r#""E27""#), Err(20), "the first of several");
    assert_eq!(of(r#""E30""#), Err(32));
    assert!(of(r#""E99""#).is_ok());
    let page = event("{}").replace("track", "page").replace(r#""E""#, r#""E30""#);
    assert_eq!(outcome(&text, &page).unwrap_err().filter, 10);
}
