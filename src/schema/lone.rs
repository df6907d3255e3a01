//! Schemas in separate files, one for each event, as schema repositories have them.

use serde_json::Value;

use super::normal::Shape;
use super::read::{Draft, Gathered, Naming};
use super::{Origin, RuleType, Version};

/// The extensions of schema files.
const ENDINGS: [&str; 4] = [".json", ".yaml", ".yml", ".schema"];

/// Reads `schema`, the only content of the file `name`. Its event is the one that the schema
/// requires (`"event": {"const": "Signed Up"}`), else the one that the file is named after.
pub(super) fn schema(schema: Value, origin: Origin, name: &str, gathered: &mut Gathered) {
    let (stem, version) = stem(name);
    let demanded = |member: &str| {
        let member = schema.get("properties")?.get(member)?;
        let only =
            member.get("const").or_else(|| match member.get("enum")?.as_array()?.as_slice() {
                [only] => Some(only),
                _ => None,
            });
        only?.as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned)
    };
    let title = schema.get("title").and_then(Value::as_str);
    let titled = title.filter(|title| plain(title) == plain(stem)).map(ToOwned::to_owned);
    let (key, naming) = match demanded("event").or(titled) {
        Some(key) => (key, Naming::Exact),
        None => (stem.to_owned(), Naming::Loose),
    };
    let rule_type = demanded("type").unwrap_or_else(|| plain(stem));
    let rule_type = RuleType::from_name(&rule_type).unwrap_or(RuleType::Track);
    if rule_type == RuleType::Track && plain(&key).is_empty() {
        let message =
            "expected the schema to name its event: `\"event\": {\"const\": \"Signed Up\"}`";
        return gathered.fault(origin, None, message);
    }
    // The name of a page only counts if the schema itself gives it.
    let key =
        if naming == Naming::Loose && rule_type != RuleType::Track { String::new() } else { key };
    gathered.drafts.push(Draft {
        key: rule_type.key_of(key),
        naming: if rule_type == RuleType::Track { naming } else { Naming::Exact },
        rule_type,
        version: version.map_or_else(Version::first, Version::from_digits),
        schema,
        schema_origin: origin.clone(),
        shape: Shape::Unknown,
        origin,
    });
}

/// Returns the letters and digits of a name in lower case.
pub(super) fn plain(name: &str) -> String {
    let letters = name.chars().filter(|char| char.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// Returns the event name and the version in a file name: `signed_up` and `2` for
/// `signed_up.v2.schema.json`.
fn stem(name: &str) -> (&str, Option<&str>) {
    let mut stem = name;
    while let Some(shorter) = ENDINGS.iter().find_map(|end| stem.strip_suffix(end)) {
        stem = shorter;
    }
    let Some((before, digits)) = stem.rsplit_once(['v', 'V']) else { return (stem, None) };
    let is_version = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match before.strip_suffix(['.', '-', '_', ' ']) {
        Some(event) if is_version && !event.is_empty() => (event, Some(digits)),
        _ => (stem, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_names_of_events_and_versions() {
        for (file, event, version) in [
            ("signed_up.v1.json", "signed_up", Some("1")),
            ("Signed Up.json", "Signed Up", None),
            ("trial-v12.schema.yaml", "trial", Some("12")),
            ("v1.json", "v1", None),
            ("removed_tv2.json", "removed_tv2", None),
        ] {
            assert_eq!(stem(file), (event, version), "{file}");
        }
    }
}
