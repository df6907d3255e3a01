//! Validates ids and e-mail addresses.

use serde_json::Value;

use super::settings::Settings;

const NO_IDS: [&str; 15] = [
    "anonymous",
    "null",
    "undefined",
    "unknown",
    "none",
    "nil",
    "na",
    "n/a",
    "guest",
    "-1",
    "0",
    "true",
    "false",
    "nan",
    "[object object]",
];

/// Why a value is not an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Invalid,
    Blocked,
}

/// Returns whether `id` is blocked.
pub fn is_blocked(id: &str, settings: &Settings) -> bool {
    let lower = id.to_lowercase();
    NO_IDS.contains(&&*lower)
        || (!id.is_empty() && id.chars().all(|char| "0-".contains(char)))
        || settings.block.iter().any(|glob| lower.starts_with(glob.trim_end_matches('*')))
}

/// Returns the e-mail address in `value`.
pub fn email(value: &Value, settings: &Settings) -> Result<String, Fault> {
    let text = value.as_str().unwrap_or_default().replace('\u{200b}', "");
    let mut text = text.trim();
    if let Some(inner) = text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        text = inner.1.trim();
    }
    let lower = text.to_lowercase();
    let lower = lower.strip_prefix("mailto:").unwrap_or(&lower).trim();
    let parts: Vec<&str> = lower.split('@').collect();
    let is_valid = match parts[..] {
        [local, domain] => !local.is_empty() && domain.contains('.') && !domain.ends_with('.'),
        _ => false,
    };
    let never = |char: char| char.is_whitespace() || char.is_control() || char == ',';
    if !is_valid || lower.contains(never) || lower.len() > 254 {
        Err(Fault::Invalid)
    } else if is_blocked(lower, settings) {
        Err(Fault::Blocked)
    } else {
        Ok(lower.to_owned())
    }
}
