//! The id that a user likely meant.

use strsim::osa_distance;

use crate::diagnostic::clean;
use crate::engine::redact::Redaction;

/// Longer ids are not compared.
const LONGEST: usize = 128;

/// The id nearest to the one that was asked for, of all that were offered.
#[derive(Clone, Debug)]
pub struct Nearest {
    asked: String,
    best: Option<(usize, Box<str>)>,
}

impl Nearest {
    /// None yet.
    pub fn new(asked: String) -> Self {
        Self { asked, best: None }
    }

    /// Offers `text`; it is kept if it is nearer than all before, or of those as near the first in
    /// order.
    pub fn offer(&mut self, text: &str) {
        let most = match &self.best {
            Some((distance, _)) => *distance,
            None => self.most(),
        };
        // A distance is at least the difference of the lengths.
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

    /// So many characters may differ: a quarter, at least one and at most four.
    fn most(&self) -> usize {
        (self.asked.chars().count() / 4).clamp(1, 4)
    }

    /// Takes over what `other` found.
    pub fn absorb(&mut self, other: Self) {
        if let Some((_, text)) = other.best {
            self.offer(&text);
        }
    }

    /// `did you mean …?`, addresses masked; `None` where nothing is near, or where it may not be
    /// shown.
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

/// What stands behind the `@` of a masked address.
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
