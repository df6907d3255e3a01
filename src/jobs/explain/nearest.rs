//! Finds the id that a user probably meant.

use strsim::osa_distance;

use crate::diagnostic::clean;
use crate::engine::redact::Redaction;

/// The maximum length of an id that is compared, in bytes.
const LONGEST: usize = 128;

/// The nearest of all offered ids to the requested one.
#[derive(Clone, Debug)]
pub struct Nearest {
    asked: String,
    best: Option<(usize, Box<str>)>,
}

impl Nearest {
    /// Creates a search for `asked`.
    pub fn new(asked: String) -> Self {
        Self { asked, best: None }
    }

    /// Offers `text`, which is kept if it is nearer than all before it, or equally near and first
    /// in alphabetical order.
    pub fn offer(&mut self, text: &str) {
        let most = match &self.best {
            Some((distance, _)) => *distance,
            None => self.max_distance(),
        };
        // The distance in characters is at least a quarter of the difference in bytes.
        if text.len() > LONGEST || text.len().abs_diff(self.asked.len()) > 4 * most {
            return;
        }
        let distance = osa_distance(&self.asked, text);
        let is_better = match &self.best {
            Some((best, kept)) => (distance, text) < (*best, &**kept),
            None => distance <= most,
        };
        if is_better {
            self.best = Some((distance, text.into()));
        }
    }

    /// Returns the maximum number of differing characters: a quarter, at least one and at most
    /// four.
    fn max_distance(&self) -> usize {
        (self.asked.chars().count() / 4).clamp(1, 4)
    }

    /// Offers the result of `other`.
    pub fn absorb(&mut self, other: Self) {
        if let Some((_, text)) = other.best {
            self.offer(&text);
        }
    }

    /// Returns `did you mean …?` with masked addresses, or `None` if no id is near or if the id must
    /// not be shown.
    pub fn question(&self, redaction: Option<&Redaction>) -> Option<String> {
        let (distance, text) = self.best.as_ref()?;
        if redaction.is_some_and(|redaction| redaction.id(text) != **text) {
            return None;
        }
        let shown = clean(text);
        if shown == **text {
            return Some(format!("did you mean {shown}?"));
        }
        let characters = if *distance == 1 { "character differs" } else { "characters differ" };
        Some(format!("did you mean one at {}? {distance} {characters}", domain(&shown)))
    }
}

/// Returns the part after the `@` of a masked address.
fn domain(shown: &str) -> &str {
    shown.rsplit_once('@').map_or(shown, |(_, domain)| domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(asked: &str, offered: &[&str]) -> Option<String> {
        let mut nearest = Nearest::new(asked.into());
        for text in offered {
            nearest.offer(text);
        }
        nearest.question(None)
    }

    #[test]
    fn a_slip_is_asked_about_and_an_address_is_not_told() {
        assert_eq!(
            question("ana-latop", &["ben-laptop", "ana-laptop", "x"]).as_deref(),
            Some("did you mean ana-laptop?")
        );
        assert_eq!(question("ana-laptop", &["expo-tablet", "u_ana"]), None);
        assert_eq!(
            question("anna@acme.example", &["ana@acme.example"]).as_deref(),
            Some("did you mean one at acme.example? 1 character differs")
        );
    }

    #[test]
    fn order_does_not_matter() {
        let offered = ["aab", "aac", "aaa"];
        for shift in 0..3 {
            let mut turned = offered.to_vec();
            turned.rotate_left(shift);
            assert_eq!(question("aad", &turned).as_deref(), Some("did you mean aaa?"));
        }
    }
}
