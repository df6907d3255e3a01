//! What the words of a name say of the intent behind it.

use crate::event::word::{NOISE, words};

/// What a name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sense {
    /// Somebody asks to be sold something, or buys it.
    Buying,
    /// Somebody looks closely at the product, or uses it.
    Trying,
    /// Somebody reads or listens.
    Reading,
    /// It happens to everyone who is there.
    Routine,
    /// Somebody goes away.
    Leaving,
    /// Machines and pointers at work.
    Noise,
}

/// Words, in lower case, of which one is enough; the first list that has one counts.
const WORDS: [(Sense, &[&str]); 7] = [
    (
        Sense::Leaving,
        &[
            "unsubscribe",
            "unsubscribed",
            "cancelled",
            "canceled",
            "cancellation",
            "churned",
            "downgraded",
            "deleted",
            "removed",
            "uninstalled",
            "refunded",
            "expired",
            "disconnected",
        ],
    ),
    (Sense::Noise, &NOISE),
    (
        Sense::Noise,
        &[
            "careers",
            "jobs",
            "imprint",
            "impressum",
            "privacy",
            "terms",
            "legal",
            "cookies",
            "cookie",
            "consent",
            "experiment",
            "flag",
        ],
    ),
    (
        Sense::Routine,
        &[
            "login",
            "logged",
            "logout",
            "session",
            "opened",
            "loaded",
            "launched",
            "foregrounded",
            "backgrounded",
            "signin",
            "signout",
        ],
    ),
    (
        Sense::Reading,
        &[
            "newsletter",
            "blog",
            "article",
            "post",
            "posted",
            "forum",
            "comment",
            "commented",
            "search",
            "searched",
            "video",
            "played",
            "digest",
            "shared",
        ],
    ),
    (
        Sense::Buying,
        &[
            "demo",
            "demos",
            "quote",
            "quotes",
            "trial",
            "trials",
            "pricing",
            "price",
            "prices",
            "contact",
            "sales",
            "meeting",
            "meetings",
            "booked",
            "booking",
            "scheduled",
            "consultation",
            "proposal",
            "checkout",
            "purchase",
            "purchased",
            "buy",
            "bought",
            "payment",
            "paid",
            "upgrade",
            "upgraded",
            "signup",
            "registered",
            "registration",
            "enterprise",
            "lead",
            "contract",
            "invoice",
            "callback",
            "order",
            "ordered",
            "plans",
            "subscription",
            "waitlist",
            "rfp",
            "poc",
            "pilot",
        ],
    ),
    (
        Sense::Trying,
        &[
            "compare",
            "compared",
            "comparison",
            "integration",
            "integrations",
            "connected",
            "invite",
            "invited",
            "invitation",
            "webinar",
            "download",
            "downloaded",
            "whitepaper",
            "ebook",
            "guide",
            "calculator",
            "calculated",
            "roi",
            "form",
            "submitted",
            "cart",
            "wishlist",
            "imported",
            "activated",
            "activation",
            "onboarding",
            "installed",
            "docs",
            "documentation",
            "features",
            "feature",
            "customers",
            "solutions",
            "product",
            "products",
            "security",
            "event",
            "workshop",
            "project",
            "workspace",
            "team",
            "api",
            "template",
            "exported",
            "tour",
            "plan",
            "requested",
            "request",
            "completed",
            "email",
            "clicked",
            "subscribed",
        ],
    ),
];

/// Pairs of words that say something that neither says alone.
const PAIRS: [(Sense, [&str; 2]); 16] = [
    (Sense::Buying, ["signed", "up"]),
    (Sense::Buying, ["sign", "up"]),
    (Sense::Buying, ["account", "created"]),
    (Sense::Buying, ["call", "requested"]),
    (Sense::Buying, ["get", "started"]),
    (Sense::Routine, ["signed", "in"]),
    (Sense::Routine, ["sign", "in"]),
    (Sense::Routine, ["signed", "out"]),
    (Sense::Reading, ["email", "opened"]),
    (Sense::Reading, ["email", "clicked"]),
    (Sense::Noise, ["button", "clicked"]),
    (Sense::Noise, ["button", "click"]),
    (Sense::Noise, ["link", "clicked"]),
    (Sense::Noise, ["element", "clicked"]),
    (Sense::Noise, ["api", "called"]),
    (Sense::Noise, ["api", "request"]),
];

/// What `name` says, and the word that does.
pub fn sense(name: &str) -> Option<(Sense, String)> {
    let words = words(name);
    let pair = PAIRS.iter().find(|(_, pair)| words.windows(2).any(|two| two == pair));
    if let Some((sense, pair)) = pair {
        return Some((*sense, pair.join(" ")));
    }
    WORDS.iter().find_map(|(sense, list)| {
        let word = words.iter().find(|word| list.contains(&word.as_str()))?;
        Some((*sense, word.clone()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_its_strongest_word_says() {
        for (name, expected) in [
            ("Demo Requested", Some(Sense::Buying)),
            ("user_signed_up", Some(Sense::Buying)),
            ("Trial Cancelled", Some(Sense::Leaving)),
            ("Checkout Error", Some(Sense::Noise)),
            ("Button Clicked", Some(Sense::Noise)),
            ("Email Clicked", Some(Sense::Reading)),
            ("Signed In", Some(Sense::Routine)),
            ("Integration Connected", Some(Sense::Trying)),
            ("Newsletter Subscribed", Some(Sense::Reading)),
            ("/pricing", Some(Sense::Buying)),
            ("Route Planned", None),
            ("", None),
        ] {
            assert_eq!(sense(name).map(|(sense, _)| sense), expected, "{name}");
        }
    }
}
