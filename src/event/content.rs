//! The content of an event (the members that redeliveries share) and its hash.

use xxhash_rust::xxh3::xxh3_128;

use super::{Event, Member};
use crate::json::canonical::Canonical;

/// The members that make up an event's content, in canonical order.
///
/// Delivery fields (`sentAt`, `receivedAt`, `integrations`, …) are excluded, so that a redelivery
/// has the hash of the original. `timestamp` counts only if there is no `originalTimestamp`,
/// because Segment computes it anew for each delivery.
pub const CONTENT_MEMBERS: [Member; 14] = [
    Member::AnonymousId,
    Member::Category,
    Member::Context,
    Member::Event,
    Member::GroupId,
    Member::MessageId,
    Member::Name,
    Member::OriginalTimestamp,
    Member::PreviousId,
    Member::Properties,
    Member::Timestamp,
    Member::Traits,
    Member::Type,
    Member::UserId,
];

/// Hashes the contents of events and reuses its buffers between them.
#[derive(Debug, Default)]
pub struct ContentHasher {
    text: Vec<u8>,
    canonical: Canonical,
}

impl ContentHasher {
    /// Returns the 128-bit XXH3 (seed 0) of the canonical form of `event`'s content, without the
    /// `ignored` members. If `plain` is `true`, no string of the event may have a character to
    /// escape.
    ///
    /// If the event has an outline, the outline was built with its own `ignored` members, and this
    /// argument has no effect.
    #[inline]
    pub fn hash(&mut self, event: &Event<'_>, ignored: &[Member], plain: bool) -> u128 {
        let Some(content) = event.content() else {
            return self.hash_without_outline(event, ignored, plain);
        };
        self.text.clear();
        content.write(event.root().doc(), &mut self.text);
        xxh3_128(&self.text)
    }

    /// Like [`hash`](Self::hash), but ignores the event's outline and always applies `ignored`.
    pub fn hash_without_outline(
        &mut self,
        event: &Event<'_>,
        ignored: &[Member],
        plain: bool,
    ) -> u128 {
        self.text.clear();
        self.text.push(b'{');
        for member in CONTENT_MEMBERS {
            let is_superseded =
                member == Member::Timestamp && event.get(Member::OriginalTimestamp).is_some();
            let Some(value) = event.get(member) else { continue };
            if is_superseded || ignored.contains(&member) {
                continue;
            }
            if self.text.len() > 1 {
                self.text.push(b',');
            }
            self.text.push(b'"');
            self.text.extend_from_slice(member.key().as_bytes());
            self.text.extend_from_slice(b"\":");
            self.canonical.write_plain(value, &mut self.text, plain);
        }
        self.text.push(b'}');
        xxh3_128(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Members;
    use crate::json::document::with_json;

    fn hash(text: &str, ignored: &[Member]) -> String {
        let hash = with_json(text, |json| {
            ContentHasher::default().hash(&Event::new(json, &Members::of(json)), ignored, false)
        });
        format!("{hash:032x}")
    }

    #[test]
    fn a_redelivery_has_the_hash_of_the_original() {
        let first = r#"{"type":"track","event":"A","messageId":"m","anonymousId":"a","originalTimestamp":"2025-01-01T00:00:00Z","timestamp":"2025-01-01T00:00:00.1Z","sentAt":"x","properties":{"a":1,"b":[]}}"#;
        let again = r#"{"receivedAt":"later","timestamp":"2025-01-01T00:00:05Z","originalTimestamp":"2025-01-01T00:00:00Z","properties":{"b":[],"a":1.0},"event":"A","messageId":"m","anonymousId":"a","userId":null,"type":"track"}"#;
        assert_eq!(hash(first, &[]), hash(again, &[]));
        let other = again.replace(r#""a":1.0"#, r#""a":1.5"#);
        assert_ne!(hash(first, &[]), hash(&other, &[]));
        assert_eq!(hash(first, &[Member::Properties]), hash(&other, &[Member::Properties]));
    }
}
