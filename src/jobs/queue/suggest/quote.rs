//! Quotes texts from the data for FQL, allow lists and TOML.

use std::fmt::Write as _;

use crate::filter::allow::{AllowList, Entry};

/// Returns `text` as the simplest kind of TOML string that can hold it.
pub fn toml(text: &str) -> String {
    let is_plain = !text.chars().any(char::is_control);
    if is_plain && !text.contains(['"', '\\']) {
        return format!("\"{text}\"");
    }
    if is_plain && !text.contains('\'') {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            char if char.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04X}", u32::from(char));
            }
            char => out.push(char),
        }
    }
    out.push('"');
    out
}

/// Returns `key` as a TOML key.
pub fn toml_key(key: &str) -> String {
    let is_bare = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    if !key.is_empty() && key.chars().all(is_bare) { key.to_owned() } else { toml(key) }
}

/// Returns the FQL condition `path = text`. FQL strings have no escapes, so if `text` contains both
/// kinds of quotes, returns a pattern with a wildcard in place of each.
pub fn equals(path: &str, text: &str) -> String {
    match string(text) {
        Some(string) => format!("{path} = {string}"),
        None => format!("match({path}, {})", pattern("", text, "")),
    }
}

/// Returns the FQL condition `match(path, 'text…')`, where the pattern `more` follows the text.
pub fn begins(path: &str, text: &str, more: &str) -> String {
    format!("match({path}, {})", pattern("", text, more))
}

fn string(text: &str) -> Option<String> {
    let quote = ['"', '\''].into_iter().find(|quote| !text.contains(*quote))?;
    Some(format!("{quote}{text}{quote}"))
}

/// Returns the FQL string of a pattern that matches `text` between the patterns `before` and
/// `after`. If both kinds of quotes occur, a wildcard replaces double quotes.
pub fn pattern(before: &str, text: &str, after: &str) -> String {
    let glob = format!("{before}{}{after}", glob(text));
    string(&glob).unwrap_or_else(|| format!("\"{}\"", glob.replace('"', "?")))
}

/// Returns a pattern that matches exactly `text`.
pub fn glob(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if matches!(char, '*' | '?' | '[' | ']' | '\\') {
            out.push('\\');
        }
        out.push(char);
    }
    out
}

/// Returns the allow-list line that matches track events called `name`: the name itself, unless it
/// would be parsed as something else.
pub fn allow(name: &str) -> String {
    let lines = AllowList::from_lines(&[name.to_owned()]);
    let is_name = lines.is_ok_and(|(list, doubts)| {
        let entry = list.lines().first().map(|line| &line.entry);
        doubts.is_empty() && matches!(entry, Some(Entry::Event(event)) if **event == *name)
    });
    if is_name {
        name.to_owned()
    } else {
        format!("fql: type = \"track\" and {}", equals("event", name))
    }
}

/// Returns `true` if an allow list reads all of `line`, which has neither surrounding whitespace
/// nor a comment.
pub fn is_read_whole(line: &str) -> bool {
    line == line.trim() && !line.split_whitespace().any(|word| word == "#")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Members};
    use crate::fql::Expr;
    use crate::json::document::with_json;
    use proptest::prelude::*;

    fn with_event<R>(name: &str, see: impl FnOnce(&Event<'_>) -> R) -> R {
        let event = serde_json::json!({
            "type": "track", "event": name, "messageId": "1", "anonymousId": "a",
            "properties": {"path": format!("{name}/x")},
        });
        with_json(&event.to_string(), |json| {
            let members = Members::of(json);
            see(&Event::new(json, &members))
        })
    }

    #[test]
    fn quotes_are_the_plainest_that_hold() {
        assert_eq!(toml("Demo"), "\"Demo\"");
        assert_eq!(toml("event = \"Demo\""), "'event = \"Demo\"'");
        assert_eq!(toml("'\"\n"), r#""'\"\u000A""#);
        assert_eq!(
            (toml_key("form_name"), toml_key("a b")),
            ("form_name".into(), "\"a b\"".into())
        );
        assert_eq!(allow("Demo Requested"), "Demo Requested");
        for name in ["identify", "page /x", "fql: all", " padded ", "Form *", "pages"] {
            assert!(allow(name).starts_with("fql: type = \"track\" and event = "), "{name}");
        }
    }

    proptest! {
        #[test]
        fn every_name_is_found_again(name in "[a-z*?\\[\\]\\\\'\"# =\\n.é]{1,12}") {
            let table: toml::Table = toml::from_str(&format!("a = {}", toml(&name))).unwrap();
            prop_assert_eq!(table["a"].as_str(), Some(name.as_str()));
            let key: toml::Table = toml::from_str(&format!("{} = 1", toml_key(&name))).unwrap();
            prop_assert!(key.contains_key(&name));
            for when in [equals("event", &name), begins("properties.path", &name, "/*")] {
                let expr = Expr::compile(&when).unwrap().expr;
                prop_assert!(with_event(&name, |event| expr.holds(event)), "{}", when);
            }
            let (list, _) = AllowList::from_lines(&[allow(&name)]).unwrap();
            prop_assert!(with_event(&name, |event| list.takes(event).is_some()), "{}", allow(&name));
        }
    }
}
