//! The words of event names, and word lists that mark an event as noise.

/// Words, in lower case, of event names that machines and pointers cause: checks, errors,
/// measurements, and movements that every visitor makes.
pub const NOISE: [&str; 32] = [
    "hover",
    "hovered",
    "scroll",
    "scrolled",
    "mousemove",
    "focus",
    "blur",
    "health",
    "healthcheck",
    "heartbeat",
    "ping",
    "pong",
    "probe",
    "error",
    "errors",
    "exception",
    "crash",
    "crashed",
    "timeout",
    "debug",
    "log",
    "trace",
    "keypress",
    "keydown",
    "viewport",
    "impression",
    "impressions",
    "rendered",
    "performance",
    "vitals",
    "poll",
    "tick",
];

/// Words, in lower case, of event names for a click on any element. Together with another word such
/// a click may be meaningful (`Email Clicked`).
pub const CLICKS: [&str; 6] = ["button", "click", "clicked", "clicks", "tap", "tapped"];

/// Returns the words of `name` in lower case: `signedUp`, `signed_up` and `Signed Up` have the same
/// words.
pub fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for char in name.chars() {
        let begins = char.is_uppercase() && before.is_lowercase();
        if begins || !char.is_alphanumeric() {
            words.push(String::new());
        }
        if char.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(char.to_lowercase());
        }
        before = char;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Returns `true` if one of the words of `name` is in `wanted`.
pub fn has(name: &str, wanted: &[&str]) -> bool {
    words(name).iter().any(|word| wanted.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_however_they_are_joined() {
        for name in ["Signed Up", "signed_up", "signedUp", "signed-up", " Signed:Up "] {
            assert_eq!(words(name), ["signed", "up"], "{name}");
        }
        assert_eq!(words("/contact-sales"), ["contact", "sales"]);
        assert_eq!(words("HTTPError 500"), ["httperror", "500"]);
        assert!(words("¡!").is_empty() && words("").is_empty());
    }

    #[test]
    fn a_word_counts_only_whole() {
        assert!(has("health_check", &NOISE) && has("ErrorRaised", &NOISE));
        assert!(!has("Healthcare Lead", &NOISE) && !has("Terror", &NOISE));
    }
}
