//! Renders a draft as a line of JSON like in Segment's archive: members sorted, no whitespace.

use super::random::{Random, mix};
use super::vocabulary::{
    CAMPAIGNS, FIRST_NAMES, LAST_NAMES, PAGES, PLACES, PLANS, PROSE, REFERRERS, SCREENS, TITLES,
    USER_AGENTS, event_name,
};
use super::{Call, Draft, SEED_SHIFT};

const SITE: &str = "https://trailco.example";

/// Appends the event and a newline.
pub fn event(draft: &Draft, out: &mut Vec<u8>) {
    text(out, r#"{"_metadata":{"bundled":["Segment.io"],"unbundled":[]},"anonymousId":""#);
    uuid(out, mix(draft.visitor ^ (u64::from(draft.second_device) << 63)), draft.visitor);
    text(out, r#"","channel":"client","context":"#);
    context(draft, out);
    if draft.call == Call::Track {
        member(out, r#","event":"#, &event_name(draft.name));
    }
    if draft.call == Call::Group {
        text(out, r#","groupId":"g_"#);
        number(out, company(draft.visitor));
        text(out, "\"");
    }
    text(out, r#","integrations":{},"messageId":"ajs-next-"#);
    number(out, draft.original_ms);
    text(out, "-");
    uuid(out, draft.seed, draft.visitor);
    text(out, "\"");
    match draft.call {
        Call::Page => member(out, r#","name":"#, PAGES[draft.page].1),
        Call::Screen => member(out, r#","name":"#, screen(draft)),
        _ => {}
    }
    time(out, r#","originalTimestamp":"#, draft.original_ms);
    text(out, r#","projectId":"p4fQ2xVn""#);
    if !matches!(draft.call, Call::Identify | Call::Group) {
        properties(draft, out);
    }
    time(out, r#","receivedAt":"#, draft.received_ms);
    time(out, r#","sentAt":"#, draft.sent_ms);
    time(out, r#","timestamp":"#, draft.received_ms - (draft.sent_ms - draft.original_ms));
    if matches!(draft.call, Call::Identify | Call::Group) {
        traits(draft, out);
    }
    text(out, r#","type":""#);
    text(
        out,
        match draft.call {
            Call::Identify => "identify",
            Call::Track => "track",
            Call::Page => "page",
            Call::Screen => "screen",
            Call::Group => "group",
        },
    );
    if draft.signed_in {
        text(out, r#"","userId":"u_"#);
        number(out, person(draft.visitor));
        text(out, r#"","version":2}"#);
    } else {
        text(out, r#"","userId":null,"version":2}"#);
    }
    text(out, "\n");
}

fn context(draft: &Draft, out: &mut Vec<u8>) {
    let mut device = Random::new(mix(draft.visitor) ^ u64::from(draft.second_device));
    let mut session = Random::new(draft.visitor ^ (draft.session << 48));
    let campaign = session.percent(25).then(|| session.one_of(&CAMPAIGNS));
    text(out, "{");
    if let Some([source, medium, name]) = campaign {
        member(out, r#""campaign":{"medium":"#, medium);
        member(out, r#","name":"#, name);
        member(out, r#","source":"#, source);
        text(out, "},");
    }
    // 198.18.0.0/15 is reserved for benchmarks (RFC 2544).
    text(out, r#""ip":"198.18."#);
    number(out, device.below(256));
    text(out, ".");
    number(out, device.below(256));
    let [locale, timezone] = device.one_of(&PLACES);
    text(out, r#"","library":{"name":"analytics.js","version":"next-1.78.1"}"#);
    member(out, r#","locale":"#, locale);
    text(out, r#","page":{"#);
    page(draft, out);
    member(out, r#"},"timezone":"#, timezone);
    member(out, r#","userAgent":"#, device.one_of(&USER_AGENTS));
    text(out, "}");
}

/// Appends the members that a page has both in its context and in its properties.
fn page(draft: &Draft, out: &mut Vec<u8>) {
    let (path, title) = PAGES[draft.page];
    let mut session = Random::new(draft.visitor ^ (draft.session << 48) ^ 1);
    member(out, r#""path":"#, path);
    if draft.landing {
        member(out, r#","referrer":"#, session.one_of(&REFERRERS));
    } else {
        text(out, r#","referrer":""#);
        text(out, SITE);
        text(out, PAGES[draft.previous].0);
        text(out, "\"");
    }
    member(out, r#","search":"","title":"#, title);
    text(out, r#","url":""#);
    text(out, SITE);
    text(out, path);
    text(out, "\"");
}

fn properties(draft: &Draft, out: &mut Vec<u8>) {
    let mut random = Random::new(draft.seed);
    text(out, r#","properties":{"#);
    match draft.call {
        Call::Page => page(draft, out),
        Call::Screen => member(out, r#""name":"#, screen(draft)),
        _ => {
            text(out, r#""category":"tours""#);
            if draft.signed_in && random.percent(10) {
                text(out, r#","email":""#);
                email(draft.visitor, out);
                text(out, "\"");
            }
            member(out, r#","label":"#, random.one_of(&SCREENS));
            member(out, r#","plan":"#, random.one_of(&PLANS));
            text(out, r#","seats":"#);
            number(out, 1 + random.below(80));
            text(out, r#","value":"#);
            number(out, random.below(5000));
            text(out, ".5");
        }
    }
    words(draft.words, out);
    text(out, "}");
}

fn traits(draft: &Draft, out: &mut Vec<u8>) {
    let mut random = Random::new(mix(draft.visitor));
    if draft.call == Call::Group {
        text(out, r#","traits":{"employees":"#);
        number(out, 1 + company(draft.visitor) % 400);
        text(out, r#","name":"Tours "#);
        number(out, company(draft.visitor));
        text(out, "\"");
    } else {
        text(out, r#","traits":{"company":{"name":"Tours "#);
        number(out, company(draft.visitor));
        text(out, r#""},"email":""#);
        email(draft.visitor, out);
        member(out, r#"","firstName":"#, random.one_of(&FIRST_NAMES));
        member(out, r#","lastName":"#, random.one_of(&LAST_NAMES));
        member(out, r#","plan":"#, random.one_of(&PLANS));
        member(out, r#","title":"#, random.one_of(&TITLES));
    }
    words(draft.words, out);
    text(out, "}");
}

/// Appends a last member with `count` bytes of text.
fn words(mut count: usize, out: &mut Vec<u8>) {
    text(out, r#","words":""#);
    while count > 0 {
        let some = &PROSE[..count.min(PROSE.len())];
        text(out, some);
        count -= some.len();
    }
    text(out, "\"");
}

fn screen(draft: &Draft) -> &'static str {
    Random::new(draft.seed).one_of(&SCREENS)
}

/// Returns the number of a visitor's company, which three consecutive visitors share.
fn company(visitor: u64) -> u64 {
    mix(visitor / 3) % 1_000_000
}

/// Returns the visitor's number without the seed, as shown in ids.
fn person(visitor: u64) -> u64 {
    visitor & ((1 << SEED_SHIFT) - 1)
}

fn email(visitor: u64, out: &mut Vec<u8>) {
    text(out, "visitor.");
    number(out, person(visitor));
    text(out, "@tours-");
    number(out, company(visitor));
    text(out, ".example");
}

#[inline]
fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Appends `key`, including its separator, and a string that needs no escapes.
#[inline]
fn member(out: &mut Vec<u8>, key: &str, value: &str) {
    text(out, key);
    text(out, "\"");
    text(out, value);
    text(out, "\"");
}

fn number(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut place = digits.len();
    loop {
        place -= 1;
        digits[place] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[place..]);
}

/// Appends a version 4 UUID derived from two numbers.
fn uuid(out: &mut Vec<u8>, first: u64, second: u64) {
    let bits = (u128::from(mix(first)) << 64) | u128::from(mix(first.rotate_left(32) ^ !second));
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    for place in 0..32 {
        if matches!(place, 8 | 12 | 16 | 20) {
            out.push(b'-');
        }
        out.push(b"0123456789abcdef"[(bits >> (124 - 4 * place)) as usize & 15]);
    }
}

/// Appends `key` and a time such as `"2025-07-01T00:00:34.985Z"`.
fn time(out: &mut Vec<u8>, key: &str, ms: u64) {
    const MONTHS: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    const DAY_MS: u64 = 86_400_000;
    let (mut year, mut month, mut day) = (1970, 0, ms / DAY_MS);
    let leap = |year: u64| year.is_multiple_of(4); // right until 2099
    while day >= 365 + u64::from(leap(year)) {
        day -= 365 + u64::from(leap(year));
        year += 1;
    }
    let days = |month: usize| MONTHS[month] + u64::from(month == 1 && leap(year));
    while day >= days(month) {
        day -= days(month);
        month += 1;
    }
    let mut stamp = *b"\"0000-00-00T00:00:00.000Z\"";
    let mut put = |from: usize, width: usize, mut value: u64| {
        for place in (from..from + width).rev() {
            stamp[place] = b'0' + (value % 10) as u8;
            value /= 10;
        }
    };
    put(1, 4, year);
    put(6, 2, month as u64 + 1);
    put(9, 2, day + 1);
    put(12, 2, ms % DAY_MS / 3_600_000);
    put(15, 2, ms % 3_600_000 / 60_000);
    put(18, 2, ms % 60_000 / 1000);
    put(21, 3, ms % 1000);
    text(out, key);
    out.extend_from_slice(&stamp);
}
