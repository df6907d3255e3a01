//! What the words of an event name say about the intent behind it.

use crate::event::word::{NOISE, words};

/// The meaning of an event name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    /// Someone wants to buy, or buys.
    Buying,
    /// Someone evaluates or uses the product.
    Trying,
    /// Someone reads or listens.
    Reading,
    /// It happens to every visitor.
    Routine,
    /// Someone leaves.
    Leaving,
    /// Activity of machines or pointers.
    Noise,
}

/// Words in lower case, of which one is sufficient; the first list with a match decides.
const WORDS: [(Meaning, &[&str]); 7] = [
    (
        Meaning::Leaving,
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
    (Meaning::Noise, &NOISE),
    (
        Meaning::Noise,
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
        Meaning::Routine,
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
        Meaning::Reading,
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
        Meaning::Buying,
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
        Meaning::Trying,
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

/// Pairs of words that mean something which neither word means alone.
const PAIRS: [(Meaning, [&str; 2]); 16] = [
    (Meaning::Buying, ["signed", "up"]),
    (Meaning::Buying, ["sign", "up"]),
    (Meaning::Buying, ["account", "created"]),
    (Meaning::Buying, ["call", "requested"]),
    (Meaning::Buying, ["get", "started"]),
    (Meaning::Routine, ["signed", "in"]),
    (Meaning::Routine, ["sign", "in"]),
    (Meaning::Routine, ["signed", "out"]),
    (Meaning::Reading, ["email", "opened"]),
    (Meaning::Reading, ["email", "clicked"]),
    (Meaning::Noise, ["button", "clicked"]),
    (Meaning::Noise, ["button", "click"]),
    (Meaning::Noise, ["link", "clicked"]),
    (Meaning::Noise, ["element", "clicked"]),
    (Meaning::Noise, ["api", "called"]),
    (Meaning::Noise, ["api", "request"]),
];

/// Returns the meaning of `name`, and the word that decides it.
pub fn meaning(name: &str) -> Option<(Meaning, String)> {
    let words = words(name);
    let pair = PAIRS.iter().find(|(_, pair)| words.windows(2).any(|two| two == pair));
    if let Some((meaning, pair)) = pair {
        return Some((*meaning, pair.join(" ")));
    }
    WORDS.iter().find_map(|(meaning, list)| {
        let word = words.iter().find(|word| list.contains(&word.as_str()))?;
        Some((*meaning, word.clone()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_its_strongest_word_says() {
        for (name, expected) in [
            ("Demo Requested", Some(Meaning::Buying)),
            ("user_signed_up", Some(Meaning::Buying)),
            ("Trial Cancelled", Some(Meaning::Leaving)),
            ("Checkout Error", Some(Meaning::Noise)),
            ("Button Clicked", Some(Meaning::Noise)),
            ("Email Clicked", Some(Meaning::Reading)),
            ("Signed In", Some(Meaning::Routine)),
            ("Integration Connected", Some(Meaning::Trying)),
            ("Newsletter Subscribed", Some(Meaning::Reading)),
            ("/pricing", Some(Meaning::Buying)),
            ("Route Planned", None),
            ("", None),
        ] {
            assert_eq!(meaning(name).map(|(meaning, _)| meaning), expected, "{name}");
        }
    }
}
