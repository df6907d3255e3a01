//! The vocabulary of synthetic events.

use std::borrow::Cow;

/// The path and title of a page.
pub type Page = (&'static str, &'static str);

/// The pages of the synthetic site.
pub const PAGES: [Page; 20] = [
    ("/", "Plan tours people finish"),
    ("/pricing", "Pricing"),
    ("/pricing/outfitter", "Pricing for outfitters"),
    ("/demo", "See it with your own routes"),
    ("/customers", "Customers"),
    ("/customers/cima-viaggi", "How Cima Viaggi halved its planning"),
    ("/docs/import-gpx", "Import GPX files"),
    ("/docs/offline-maps", "Offline maps"),
    ("/docs/api", "The API"),
    ("/docs/embed", "Embed a route"),
    ("/docs/guides-and-guests", "Guides and guests"),
    ("/blog/hut-to-hut", "Hut to hut: ten days, one file"),
    ("/blog/alps-in-spring", "The Alps in spring"),
    ("/blog/guide-ratios", "How many guides for how many guests?"),
    ("/integrations", "Integrations"),
    ("/integrations/garmin", "Garmin"),
    ("/app/routes", "Routes"),
    ("/app/routes/edit", "Edit a route"),
    ("/app/team", "Team"),
    ("/careers", "Careers"),
];

/// Names of track events; [`event_name`] generates further ones.
const EVENTS: [&str; 40] = [
    "Route Planned",
    "Button Clicked",
    "Route Shared",
    "Search Performed",
    "Video Played",
    "Trial Started",
    "Demo Requested",
    "Form Submitted",
    "Plan Compared",
    "Integration Connected",
    "Guide Invited",
    "Guest Added",
    "File Imported",
    "File Exported",
    "Map Downloaded",
    "Comment Added",
    "Report Viewed",
    "Filter Applied",
    "Tour Published",
    "Tour Archived",
    "Checkout Started",
    "Order Completed",
    "Invoice Viewed",
    "Card Updated",
    "Seat Added",
    "Seat Removed",
    "Plan Upgraded",
    "Plan Downgraded",
    "Signed Up",
    "Signed In",
    "Signed Out",
    "Password Reset",
    "Newsletter Subscribed",
    "Email Opened",
    "Email Clicked",
    "Webinar Joined",
    "Meeting Booked",
    "Survey Answered",
    "Error Shown",
    "Session Timed Out",
];

/// Returns the name of the track event with the given index: one of forty, or a generated one.
pub fn event_name(index: usize) -> Cow<'static, str> {
    EVENTS.get(index).map_or_else(|| format!("Feature {index} Used").into(), |&name| name.into())
}

/// The screens of the synthetic app.
pub const SCREENS: [&str; 6] =
    ["Route List", "Route Map", "Guest List", "Weather", "Account", "Settings"];

/// The referrers of sessions.
pub const REFERRERS: [&str; 6] = [
    "",
    "https://www.google.com/",
    "https://www.bing.com/",
    "https://www.linkedin.com/",
    "https://duckduckgo.com/",
    "https://hikers-forum.example/threads/4711",
];

/// The source, medium and name of each campaign.
pub const CAMPAIGNS: [[&str; 3]; 5] = [
    ["linkedin", "paid-social", "spring-launch"],
    ["google", "cpc", "route-planner"],
    ["newsletter", "email", "monthly-digest"],
    ["partner", "referral", "alpine-club"],
    ["google", "cpc", "brand"],
];

/// The user agents of browsers.
pub const USER_AGENTS: [&str; 6] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/135.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:137.0) Gecko/20100101 Firefox/137.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.0.0 Safari/537.36 Edg/134.0.0.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/135.0.0.0 Mobile Safari/537.36",
];

/// Locales with their time zones.
pub const PLACES: [[&str; 2]; 8] = [
    ["en-US", "America/New_York"],
    ["en-GB", "Europe/London"],
    ["de-DE", "Europe/Berlin"],
    ["fr-FR", "Europe/Paris"],
    ["es-ES", "Europe/Madrid"],
    ["nb-NO", "Europe/Oslo"],
    ["ja-JP", "Asia/Tokyo"],
    ["en-AU", "Australia/Sydney"],
];

/// First names.
pub const FIRST_NAMES: [&str; 16] = [
    "Ana", "Ben", "Chiara", "David", "Erin", "Farid", "Greta", "Hiro", "Ines", "Jonas", "Kim",
    "Łukasz", "Mia", "Nils", "Zoë", "José",
];

/// Last names.
pub const LAST_NAMES: [&str; 16] = [
    "Ruiz", "Okafor", "Conti", "Lind", "Walsh", "Haddad", "Holm", "Tanaka", "Moen", "Novák",
    "Larsen", "Vogt", "Berg", "Petrova", "Idris", "Abara",
];

/// Titles that people give themselves.
pub const TITLES: [&str; 6] = [
    "Head of Tours",
    "Guide",
    "Founder",
    "Operations Manager",
    "Product Manager",
    "Geschäftsführerin",
];

/// Plans that are sold.
pub const PLANS: [&str; 3] = ["Solo", "Team", "Outfitter"];

/// The filler text of events: ASCII, so that it can be cut anywhere.
pub const PROSE: &str = "Ten days from hut to hut with one file for everyone: the guide sees who is where, the \
guests see what comes next, and the office sees that all of them arrived. Planned in an afternoon, changed on the \
way when the weather says so, and kept for the next group that wants to walk it. Nobody prints a map any more, but \
everybody still can. Water, shelter and the last bus stand on the same line as the climb, and what a season of \
groups learned about a path stays with the path. ";
