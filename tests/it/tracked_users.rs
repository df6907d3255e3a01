//! Monthly tracked users next to raw signals.

use crate::support::Workspace;
use serde_json::{Value, json};

#[test]
fn tracked_users_are_counted_by_month() {
    let workspace = Workspace::new();
    let event = |at: usize, month: u8, anonymous: Option<&str>, user: Option<&str>| {
        let event = json!({
            "type": "track", "event": "Ping", "messageId": format!("m{at}"),
            "anonymousId": anonymous, "userId": user,
            "timestamp": format!("2025-{month:02}-02T00:00:00Z"),
        });
        format!("{event}\n")
    };
    let events = [
        event(0, 3, Some("a"), None),
        event(1, 3, Some("a"), Some("u")),
        event(1, 3, Some("a"), Some("u")),
        event(2, 3, Some("b"), None),
        event(3, 3, None, Some("v")),
        event(4, 3, Some("guest"), None),
        event(5, 4, Some("a"), None),
    ];
    workspace.write("events.ndjson", events.concat());
    workspace.write("rules.toml", "version = 1\n[plan]\nraw_signals = 100\n");
    for threads in ["1", "4"] {
        let arguments =
            ["events.ndjson", "--rules", "rules.toml", "-o", threads, "--threads", threads];
        let summary = workspace.run(arguments).exits(0).stderr;
        let report = workspace.report(threads);
        let periods = report["plan"]["periods"].as_array().unwrap().iter();
        let users: Vec<&Value> = periods.map(|period| &period["monthly_tracked_users"]).collect();
        assert_eq!(users, [3, 1]);
        assert!(summary.contains("  tracked   3 users at most, in 2025-03\n"), "{summary}");
    }
    workspace.write("rules.toml", "version = 1\n[plan]\nperiod = \"day\"\n");
    workspace.run(["events.ndjson", "--rules", "rules.toml", "-o", "day"]).exits(0);
    let day = &workspace.report("day")["plan"]["periods"][0];
    assert_eq!(day["monthly_tracked_users"], Value::Null);
}
