use super::*;
use crate::engine::Engine;
use crate::engine::map::names::Names;
use crate::filter::allow::AllowList;
use crate::jobs::check::coverage::Seen;
use crate::jobs::check::place::Placer;
use crate::jobs::check::rule;
use crate::rules::Rules;
use proptest::prelude::*;

/// Returns the suggestion for the given counts by event name and by section.
fn suggested(tracks: &[(String, u64)], parts: &[(String, u64)]) -> String {
    let mut names = Names::default();
    for (name, count) in tracks {
        names.add(CallType::Track, name, *count);
    }
    let ranking = Ranking::new(&names);
    let tally = |events: u64| Tally { events, ..Tally::default() };
    let tallies = ranking.names.iter().map(|&(.., count)| tally(count));
    let mut counted = Counted { tallies: tallies.collect(), ..Counted::default() };
    for (part, count) in parts {
        if let Some(sum) = counted.sections.get(part) {
            *sum += tally(*count);
        }
    }
    suggest(Facts { ranking: &ranking, counted, fields: Fields::default() })
}

/// Parses `text` as rules in which `check` finds no fault.
#[track_caller]
fn checked(text: &str) -> Rules {
    let rules = Rules::parse(text).unwrap_or_else(|faults| panic!("{faults:#?}\n{text}"));
    assert!(rules.warnings.is_empty(), "{:#?}\n{text}", rules.warnings);
    let lines: Vec<String> = rules.allow.iter().flatten().map(|(line, _)| line.clone()).collect();
    let (_, doubts) = AllowList::from_lines(&lines).unwrap();
    assert!(doubts.is_empty(), "{doubts:#?}\n{text}");
    let unreachable = rule::unreachable(&rules, &Seen::default());
    assert!(unreachable.is_empty(), "{unreachable:?}\n{text}");
    let engine = Engine::of_rules(rules).unwrap();
    for case in rule::tests(&engine, &mut Placer::new("rules.toml", text, 1)) {
        assert!(case.findings.is_empty(), "{:?}\n{text}", case.findings[0].message);
    }
    engine.rules
}

fn counts(names: &[(&str, u64)]) -> Vec<(String, u64)> {
    names.iter().map(|&(name, count)| (name.to_owned(), count)).collect()
}

#[test]
fn names_of_one_slug_get_ids_of_their_own() {
    let names = counts(&[("Demo Requested", 3), ("demo_requested", 2), ("Trial: \"it's\"", 1)]);
    let rules = checked(&suggested(&names, &[]));
    let ids: Vec<&str> = rules.rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["demo-requested", "demo-requested-2", "trial-it-s"]);
}

#[test]
fn parts_of_a_site_are_told_apart_even_where_one_begins_as_the_other() {
    let parts = counts(&[
        ("page /pricing", 9),
        ("page /pricing-enterprise", 4),
        ("page /blog", 40),
        ("page named Contact Sales", 2),
        ("screen named Checkout", 2),
    ]);
    let text = suggested(&[], &parts);
    let rules = checked(&text);
    assert_eq!(rules.rules.len(), 4, "{text}");
    assert!(text.contains("# - pages at /blog: 40 events"), "{text}");
}

#[test]
fn what_is_left_out_stands_in_a_comment_with_the_reason() {
    let names = counts(&[("Route Planned", 800), ("Page Error", 20), ("Toggled", 100)]);
    let text = suggested(&names, &[]);
    assert!(checked(&text).rules.is_empty());
    assert!(
        text.contains("# - Route Planned: 800 events; comes in masses: 87.0 % of all signals"),
        "{text}"
    );
    assert!(text.contains("# - Page Error: 20 events; `error` speaks of machines"), "{text}");
    assert!(text.contains("# - Toggled: 100 events; neither its name"), "{text}");
}

#[test]
fn a_screen_whose_name_ends_in_a_blank_is_on_the_allow_list() {
    let text = suggested(&[], &counts(&[("screen named demo ", 3)]));
    checked(&text);
    assert!(
        text.contains(r#"fql: type = \"screen\" and"#) || text.contains("'fql: type"),
        "{text}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_the_names_are_the_rules_pass_check(
        tracks in prop::collection::vec(("(demo|trial|pricing)?[a-z*?\\[\\\\'\"# =\n.é@]{0,8}", 1_u64..9), 0..6),
        steps in prop::collection::vec(("/(demo|pricing)[a-z*?\\[\\\\'\" .é-]{0,6}", 1_u64..9), 0..4),
        named in prop::collection::vec(("(demo|trial)[a-z*?\\[\\\\'\" .é]{0,6}", 1_u64..9), 0..3),
    ) {
        let mut parts: Vec<(String, u64)> =
            steps.into_iter().map(|(step, count)| (format!("page {step}"), count)).collect();
        parts.extend(named.into_iter().map(|(name, count)| (format!("screen named {name}"), count)));
        checked(&suggested(&tracks, &parts));
    }
}
