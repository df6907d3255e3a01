//! Realistic files, valid and invalid.

use super::*;

/// Renders the errors or warnings about `text`.
fn said(text: &str) -> String {
    let found = match DestinationFilters::parse(text) {
        Ok((_, warnings)) => warnings,
        Err(faults) => faults,
    };
    render("filters.json", text, &found)
}

fn titles(text: &str) -> Vec<String> {
    let (filters, warnings) = DestinationFilters::parse(text)
        .unwrap_or_else(|faults| panic!("{}", render("filters.json", text, &faults)));
    assert!(warnings.is_empty(), "{}", render("filters.json", text, &warnings));
    filters.filters().iter().map(|filter| filter.title.to_string()).collect()
}

#[test]
fn every_shape_of_file_is_read() {
    let a = r#"{"id":"1","sourceId":"s","destinationId":"d","title":"A","if":"all","actions":[{"type":"DROP"}],"enabled":true,"createdAt":"x","updatedAt":"y"}"#;
    let b = a.replace(r#""A""#, r#""B""#);
    for (text, expected) in [
        (a.to_owned(), &["A"][..]),
        (format!("[{a},{b}]"), &["A", "B"]),
        (format!(r#"{{"data":{{"filters":[{a},{b}]}}}}"#), &["A", "B"]),
        (
            format!(r#"{{"data":{{"filters":[{a}],"pagination":{{"current":"x","next":null}}}}}}"#),
            &["A"],
        ),
        (format!(r#"{{"data":{{"filter":{a}}}}}"#), &["A"]),
        (format!(r#"{{"filters":[{a},{b}]}}"#), &["A", "B"]),
        (format!(r#"{{"filter":{a},"payload":{{}}}}"#), &["A"]),
        (format!(r#"[{{"data":{{"filters":[{a}]}}}},{b}]"#), &["A", "B"]),
    ] {
        assert_eq!(titles(&text), expected, "{text}");
    }
}

#[test]
fn filters_of_the_config_api_do_the_same() {
    let old = r#"{"name":"workspaces/w/sources/s/destinations/d/config/c/filters/df_1","if":"all",
        "actions":[{"type":"TYPE","fields":{"context":{"fields":["ip"]}}}],"title":"","enabled":true}"#;
    let without_ip = event("{}").replace(r#""ip":"1.2.3.4","#, "");
    for name in ["blacklist_fields", "blocklist_fields", "drop_properties"] {
        assert_eq!(left(&old.replace("TYPE", name), &event("{}")), without_ip, "{name}");
    }
    let only_ip = event("{}").replace(r#","page":{"url":"u"}"#, "");
    for name in ["whitelist_fields", "allowlist_fields", "Allow_Properties"] {
        assert_eq!(left(&old.replace("TYPE", name), &event("{}")), only_ip, "{name}");
    }
    let of = |action: &str| dropped(&filter("all", action), &event("{}")).2;
    assert_eq!(of(r#"{"type":"drop_event"}"#), Cause::Dropped);
    assert_eq!(of(r#"{"type":"sample_event","percent":0.01,"path":"userId"}"#), Cause::Sampled);
    assert!(titles(&old.replace("TYPE", "blacklist_fields"))[0].ends_with("df_1"));
}

#[test]
fn members_that_are_null_are_absent() {
    let text = r#"{"title":null,"if":"all","enabled":null,
        "actions":[{"type":"DROP","fields":null,"path":null,"percent":null}]}"#;
    assert!(outcome(text, &event("{}")).is_err());
    assert_eq!(titles(text), [""]);
}

#[test]
fn everything_wrong_with_a_file_is_shown_at_once() {
    insta::assert_snapshot!(said(r#"{"data": {"filters": [
  {"title": "a", "if": "all", "actions": [{"type": "DROP_PROPERTYS", "fields": {}}]},
  {"title": "b", "if": "all", "actions": [{"type": "SAMPLE"}, {"type": "SAMPLE", "percent": "half"}]},
  {"title": "c", "iff": "all", "actions": []},
  {"title": "d", "if": 7, "action": [{"type": "DROP"}]},
  {"title": "e", "if": "all", "actions": [{"type": "DROP_PROPERTIES"}, {"type": "blacklist_fields", "fields": {"context": "ip"}}]},
  {"title": "f", "if": "all", "actions": [{"type": "ALLOW_PROPERTIES", "fields": {"a..b": [1], "": ["x"]}}], "enabled": "yes"},
  {"title": "g", "if": "all", "actions": [{"percent": 1}, {"type": "SAMPLE", "percent": 0.5, "path": "a."}]},
  {"title": "h"}
]}}"#), @r#"
    filters.json:2:52: error: `DROP_PROPERTYS` is no type of action
     2 |   {"title": "a", "if": "all", "actions": [{"type": "DROP_PROPERTYS", "fields": {}}]},
       |                                                    ^^^^^^^^^^^^^^^^
    help: did you mean `DROP_PROPERTIES`?

    filters.json:3:45: error: an action that samples must have `percent`
     3 | …title": "b", "if": "all", "actions": [{"type": "SAMPLE"}, {"type": "SAMPLE", "percent": "half"}]},
       |                                          ^^^^
    help: a share from 0 to 1

    filters.json:3:93: error: `percent` must be a number from 0 to 1, found a text
     3 | …SAMPLE"}, {"type": "SAMPLE", "percent": "half"}]},
       |                                          ^^^^^^

    filters.json:4:19: error: a destination filter must have `if`
     4 |   {"title": "c", "iff": "all", "actions": []},
       |                   ^^^
    help: is `iff` meant to be it?

    filters.json:5:19: error: `if` must be a text, found a whole number
     5 |   {"title": "d", "if": 7, "action": [{"type": "DROP"}]},
       |                   ^^

    filters.json:5:28: error: a destination filter must have `actions`
     5 |   {"title": "d", "if": 7, "action": [{"type": "DROP"}]},
       |                            ^^^^^^
    help: is `action` meant to be it?

    filters.json:6:45: error: an action of type `DROP_PROPERTIES` must have `fields`
     6 | …title": "e", "if": "all", "actions": [{"type": "DROP_PROPERTIES"}, {"type": "blacklist_fields", "fie…
       |                                          ^^^^
    help: for example {"context": ["ip"]}

    filters.json:6:123: error: the fields of `context` must be a list of texts, found a text
     6 | …lacklist_fields", "fields": {"context": "ip"}}]},
       |                                          ^^^^

    filters.json:7:84: error: expected a path of names joined by `.`, such as `properties.products`
     7 | …"type": "ALLOW_PROPERTIES", "fields": {"a..b": [1], "": ["x"]}}], "enabled": "yes"},
       |                                          ^^^^

    filters.json:7:84: error: a field of `a..b` must be a text, found a whole number
     7 | …"type": "ALLOW_PROPERTIES", "fields": {"a..b": [1], "": ["x"]}}], "enabled": "yes"},
       |                                          ^^^^

    filters.json:7:121: error: `enabled` must be true or false, found a text
     7 | … {"a..b": [1], "": ["x"]}}], "enabled": "yes"},
       |                                          ^^^^^

    filters.json:8:45: error: an action must have `type`
     8 | …title": "g", "if": "all", "actions": [{"percent": 1}, {"type": "SAMPLE", "percent": 0.5, "path": "a.…
       |                                          ^^^^^^^
    help: DROP, SAMPLE, DROP_PROPERTIES, ALLOW_PROPERTIES

    filters.json:8:102: error: expected a path of names joined by `.`, such as `properties.products`
     8 | …ype": "SAMPLE", "percent": 0.5, "path": "a."}]},
       |                                          ^^^^

    filters.json:9:5: error: expected a destination filter (an object with `if` and `actions`), a list of them, an answer of Segment's API (`{"data": {"filters": […]}}`), or a document of Terraform with resources `segment_destination_filter`
     9 |   {"title": "h"}
       |     ^^^^^
    "#);
}

#[test]
fn what_is_no_file_of_filters_says_what_one_is() {
    insta::assert_snapshot!(said("[{\"title\": \"x\"}, 7]"), @r#"
    filters.json:1:1: error: expected a destination filter (an object with `if` and `actions`), a list of them, an answer of Segment's API (`{"data": {"filters": […]}}`), or a document of Terraform with resources `segment_destination_filter`, found a whole number
     1 | [{"title": "x"}, 7]
       | ^

    filters.json:1:4: error: expected a destination filter (an object with `if` and `actions`), a list of them, an answer of Segment's API (`{"data": {"filters": […]}}`), or a document of Terraform with resources `segment_destination_filter`
     1 | [{"title": "x"}, 7]
       |    ^^^^^
    "#);
    insta::assert_snapshot!(said("{\"if\": \"all\",\n \"actions\": [}"), @r#"
    filters.json:2:14: error: not JSON: byte 28: expected a JSON value
     2 |  "actions": [}
       |              ^
    "#);
    insta::assert_snapshot!(said(""), @r#"
    filters.json:1:1: error: not JSON: byte 1: expected a JSON value, found the end
     1 | 
       | ^
    "#);
}

#[test]
fn an_if_that_does_not_compile_is_a_warning_with_its_place() {
    let text = "{\"title\": \"x\",\n \"if\": \"type = \\\"track\\\" and lowercas(event) = 'x'\",\n \"actions\": [{\"type\": \"DROP\"}]}";
    insta::assert_snapshot!(said(text), @r#"
    filters.json:2:30: warning: expected the name of a function, found `lowercas`; Segment sends no event that it cannot judge, so this filter drops every event
     2 |  "if": "type = \"track\" and lowercas(event) = 'x'",
       |                              ^^^^^^^^
    help: did you mean `lowercase`?
    "#);
}

#[test]
fn what_is_doubtful_is_a_warning() {
    insta::assert_snapshot!(said(r#"{"data": {"filters": [
  {"title": "a", "if": "type = 'track' or type = 'page' and event = 'x'", "actions": [{"type": "SAMPLE", "percent": 50}]},
  {"title": "b", "if": "all", "actions": [{"type": "DROP_PROPERTIES", "fields": {"context": ["client.ip"]}}]},
  {"title": "c", "if": "all", "actions": [], "enable": false}
], "pagination": {"next": "abc"}}}"#), @r#"
    filters.json:2:43: warning: `and` and `or` are mixed without parentheses: this reads the `and` first
     2 | …{"title": "a", "if": "type = 'track' or type = 'page' and event = 'x'", "actions": [{"type": "SAMPLE…
       |                                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    help: write `(type = 'page' and event = 'x')` if that is meant

    filters.json:2:107: warning: `percent` is a share from 0 to 1: with 50 every event is sent
     2 | …= 'x'", "actions": [{"type": "SAMPLE", "percent": 50}]},
       |                                          ^^^^^^^

    filters.json:3:94: warning: this is the member of the very name `client.ip`, dots included
     3 | …ROP_PROPERTIES", "fields": {"context": ["client.ip"]}}]},
       |                                          ^^^^^^^^^^^
    help: for a member further inside write {"context.client": ["ip"]}

    filters.json:4:32: warning: this filter has no actions, so it does nothing
     4 |   {"title": "c", "if": "all", "actions": [], "enable": false}
       |                                ^^^^^^^

    filters.json:4:47: warning: `enable` means nothing in a destination filter
     4 |   {"title": "c", "if": "all", "actions": [], "enable": false}
       |                                               ^^^^^^
    help: did you mean `enabled`?

    filters.json:5:20: warning: these are not all filters: the answer has a next page
     5 | ], "pagination": {"next": "abc"}}}
       |                    ^^^^
    help: ask the API for more at once (`pagination.count`), or put the pages into one list
    "#);
    insta::assert_snapshot!(said("[]"), @r#"
    filters.json:1:1: warning: there is no filter in this file, so every event is sent as it is
     1 | []
       | ^
    "#);
    insta::assert_snapshot!(said(r#"{"if": "nonsense(", "actions": [{"type": "?"}], "enabled": false}"#), @r#"
    filters.json:1:3: warning: there is no filter that is enabled in this file, so every event is sent as it is
     1 | {"if": "nonsense(", "actions": [{"type": "?"}], "enabled": false}
       |   ^^
    "#);
}

/// Returns a destination filter in HCL with the title `title`.
fn hcl(title: &str) -> String {
    format!(
        r#"
resource "segment_destination_filter" "{title}" {{
  actions = [
    {{
      fields = jsonencode({{ context = ["ip"] }})
      type   = "DROP_PROPERTIES"
    }},
  ]
  description    = null
  destination_id = segment_destination.webhook.id
  enabled        = true
  if             = "type = \"track\""
  title          = "{title}"
}}
"#
    )
}

#[test]
fn filters_in_terraforms_files_are_read() {
    let text = format!("terraform {{}}\n{}{}", hcl("A"), hcl("B").replace("= true", "= false"));
    assert_eq!(titles(&text), ["A", "B"]);
    assert_eq!(left(&text, &event("{}")), event("{}").replace(r#""ip":"1.2.3.4","#, ""));
    let other = "resource \"segment_source\" \"s\" {\n  name = \"s\"\n}\n";
    assert_eq!(titles(&format!("{other}{}", hcl("A"))), ["A"]);
    insta::assert_snapshot!(said(other), @r#"
    filters.json:1:1: warning: there is no filter in this file, so every event is sent as it is
     1 | resource "segment_source" "s" {
       | ^^^^^^^^
    "#);
}

#[test]
fn filters_in_terraforms_states_and_plans_are_read() {
    let resource = r#"{"address":"segment_destination_filter.a","type":"segment_destination_filter","name":"a",
        "values":{"title":"A","enabled":true,"if":"type = 'track'","destination_id":"d0",
        "actions":[{"type":"DROP_PROPERTIES","fields":"{\"context\":[\"ip\"]}","path":null,"percent":null}]}}"#;
    let module = format!(r#"{{"root_module":{{"resources":[{resource}]}}}}"#);
    for text in [
        format!(r#"{{"format_version":"1.0","values":{module}}}"#),
        format!(r#"{{"format_version":"1.2","planned_values":{module},"resource_changes":[]}}"#),
    ] {
        assert_eq!(titles(&text), ["A"]);
        assert_eq!(left(&text, &event("{}")), event("{}").replace(r#""ip":"1.2.3.4","#, ""));
    }
}

#[test]
fn what_only_terraform_can_tell_is_an_error_that_names_the_way_to_it() {
    let text = hcl("A").replace(r#""type = \"track\"""#, "local.condition");
    insta::assert_snapshot!(said(&text), @r"
    filters.json:12:20: error: `if` must be a text, found an expression of Terraform's
     12 |   if             = local.condition
        |                    ^^^^^^^^^^^^^^^
    help: only Terraform knows its value: read the output of `terraform show -json` instead
    ");
    insta::assert_snapshot!(said("title: no free plans\nif: all\n"), @r#"
    filters.json:1:6: error: not JSON, and not HCL: invalid structure; expected `{`, `=`, `"` or identifier
     1 | title: no free plans
       |      ^
    help: expected a destination filter (an object with `if` and `actions`), a list of them, an answer of Segment's API (`{"data": {"filters": […]}}`), or a document of Terraform with resources `segment_destination_filter`
    "#);
}

#[test]
fn the_settings_of_analytics_js_are_named() {
    let text = r#"{"integrations":{},"middlewareSettings":{"routingRules":[]},"plan":{}}"#;
    let said = said(text);
    assert!(said.contains("found the settings that Analytics.js loads"), "{said}");
    assert!(said.contains("GET /destination/{destinationId}/filters"), "{said}");
}

#[test]
fn the_fault_of_an_if_in_terraforms_files_has_its_place() {
    let text = hcl("A").replace("type = \\\"track\\\"", "type = \\\"track\\\" and lowercas(event)");
    let (_, warnings) = DestinationFilters::parse(&text).unwrap();
    assert_eq!(text[warnings[0].span.clone()], *"lowercas", "{warnings:?}");
}
