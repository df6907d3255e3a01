//! The settings and rules of a replay, and the rules file for them.

use std::fmt::Write;

use proptest::prelude::*;

/// `[identity] policy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    Split,
    First,
    Last,
    Strict,
}

impl Policy {
    pub const ALL: [Self; 4] = [Self::Split, Self::First, Self::Last, Self::Strict];

    pub fn name(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::First => "first",
            Self::Last => "last",
            Self::Strict => "strict",
        }
    }
}

/// Which events are duplicates of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DedupBy {
    Content,
    /// The content without these members.
    ContentWithout(&'static [&'static str]),
    MessageId,
    Nothing,
}

/// The plan's `period`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    Month,
    Day,
}

/// A rule of the rules file.
#[derive(Clone, Debug)]
pub struct Rule {
    pub id: &'static str,
    /// `None` maps every call that is a signal.
    pub call: Option<&'static str>,
    /// Empty maps every event name.
    pub events: &'static [&'static str],
    pub signal: Option<&'static str>,
    pub signal_type: &'static str,
    pub high_intent: bool,
    pub priority: i32,
    pub score: i64,
    pub limit: Option<u64>,
    pub identify: bool,
    pub map: &'static [(&'static str, &'static [&'static str])],
}

/// The settings of a replay.
#[derive(Clone, Debug)]
pub struct Settings {
    pub policy: Policy,
    pub lookback_days: Option<u32>,
    pub max_emails: usize,
    pub user_id: bool,
    pub user_id_is_email: bool,
    pub merge_by_user_id: bool,
    /// Globs that end in one star.
    pub block: &'static [&'static str],
    pub internal_domains: &'static [&'static str],
    pub dedup: DedupBy,
    pub raw_signals: u64,
    pub active_leads: u64,
    pub period: Every,
    pub timezone: &'static str,
    /// Call types and event names; empty allows everything.
    pub allow: &'static [&'static str],
    /// In the order of the file.
    pub rules: Vec<Rule>,
}

impl Settings {
    /// Returns the rules file with these settings.
    pub fn rules_file(&self) -> String {
        let mut file = format!("version = 1\n{}{}", self.plan(), self.identity());
        match self.dedup {
            DedupBy::Content => {}
            DedupBy::ContentWithout(members) => {
                writeln!(file, "[dedup]\nignore = {members:?}").unwrap();
            }
            DedupBy::MessageId => file.push_str("[dedup]\nby = \"message_id\"\n"),
            DedupBy::Nothing => file.push_str("[dedup]\nby = \"none\"\n"),
        }
        if !self.allow.is_empty() {
            writeln!(file, "[filter]\nallow = {:?}", self.allow).unwrap();
        }
        for rule in &self.rules {
            rule.write(&mut file);
        }
        file
    }

    fn plan(&self) -> String {
        let Self { raw_signals, active_leads, timezone, .. } = self;
        let period = match self.period {
            Every::Month => "month",
            Every::Day => "day",
        };
        format!(
            "[plan]\nraw_signals = {raw_signals}\nactive_leads = {active_leads}\n\
             period = {period:?}\ntimezone = {timezone:?}\n"
        )
    }

    fn identity(&self) -> String {
        let lookback = self.lookback_days.map(|days| format!("lookback_days = {days}\n"));
        format!(
            "[identity]\npolicy = {:?}\nmax_emails = {}\nuser_id = {}\nuser_id_is_email = {}\n\
             merge = {:?}\nblock = {:?}\ninternal_domains = {:?}\n{}",
            self.policy.name(),
            self.max_emails,
            self.user_id,
            self.user_id_is_email,
            if self.merge_by_user_id { "user_id" } else { "none" },
            self.block,
            self.internal_domains,
            lookback.unwrap_or_default(),
        )
    }
}

impl Rule {
    fn write(&self, file: &mut String) {
        let call = self.call.map(|call| format!("type = '{call}'"));
        let events = (!self.events.is_empty()).then(|| {
            let names: Vec<_> = self.events.iter().map(|name| format!("'{name}'")).collect();
            format!("event in [{}]", names.join(", "))
        });
        let when: Vec<_> = call.into_iter().chain(events).collect();
        let when = if when.is_empty() { "all".to_owned() } else { when.join(" and ") };
        let Self { id, signal_type, high_intent, priority, score, identify, .. } = self;
        write!(
            file,
            "[[rule]]\nid = {id:?}\nwhen = \"{when}\"\ntype = {signal_type:?}\n\
             high_intent = {high_intent}\npriority = {priority}\nscore = {score}\n\
             identify = {identify}\n"
        )
        .unwrap();
        if let Some(signal) = self.signal {
            writeln!(file, "signal = {signal:?}").unwrap();
        }
        if let Some(limit) = self.limit {
            writeln!(file, "limit = {limit}").unwrap();
        }
        file.push_str("[rule.map]\n");
        for (column, paths) in self.map {
            writeln!(file, "{column} = {paths:?}").unwrap();
        }
    }
}

/// Three overlapping rules, with any score and order.
fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let worth = (-5..40_i64, proptest::option::of(1..4_u64), 0..3_i32, any::<bool>());
    [worth.clone(), worth.clone(), worth].prop_map(|[demo, page, rest]| {
        let rule = |id, (score, limit, priority, identify)| Rule {
            id,
            call: None,
            events: &[],
            signal: None,
            signal_type: "",
            high_intent: score > 20,
            priority,
            score,
            limit,
            identify,
            map: &[],
        };
        vec![
            Rule {
                events: &["Demo", "Ping"],
                signal: Some("asked"),
                signal_type: "Form Fill",
                map: &[
                    ("email", &["properties.email", "context.traits.email"]),
                    ("name", &["properties.name"]),
                    ("number", &["properties.n"]),
                ],
                ..rule("demo", demo)
            },
            Rule {
                call: Some("page"),
                map: &[("company", &["properties.company"]), ("shown", &["context.page"])],
                // A rule that maps no e-mail cannot identify.
                ..rule("page", (page.0, page.1, page.2, false))
            },
            Rule {
                call: Some("track"),
                signal: Some("asked"),
                map: &[("email", &["context.traits.email"]), ("title", &["properties.n"])],
                ..rule("track", rest)
            },
        ]
    })
}

/// Any settings.
pub fn settings() -> impl Strategy<Value = Settings> {
    let policy = proptest::sample::select(&Policy::ALL[..]);
    let identity = (
        policy,
        proptest::option::weighted(0.3, 1..4_u32),
        1..5_usize,
        proptest::bool::weighted(0.85),
        proptest::bool::weighted(0.3),
        any::<bool>(),
    );
    let dedup = prop_oneof![
        5 => Just(DedupBy::Content),
        1 => Just(DedupBy::ContentWithout(&["messageId"])),
        1 => Just(DedupBy::ContentWithout(&["context", "properties"])),
        1 => Just(DedupBy::MessageId),
        1 => Just(DedupBy::Nothing),
    ];
    let lists = (any::<bool>(), any::<bool>(), proptest::bool::weighted(0.2));
    let timezone = proptest::sample::select(&["UTC", "Europe/Berlin", "America/New_York"][..]);
    let plan = (0..25_u64, 0..4_u64, any::<bool>(), timezone);
    (identity, dedup, lists, plan, rules()).prop_map(|(identity, dedup, lists, plan, rules)| {
        let (policy, lookback_days, max_emails, user_id, user_id_is_email, merge_by_user_id) =
            identity;
        let (blocks, has_staff, filters) = lists;
        let (raw_signals, active_leads, daily, timezone) = plan;
        Settings {
            policy,
            lookback_days,
            max_emails,
            user_id,
            user_id_is_email,
            merge_by_user_id,
            block: if blocks { &["test-*", "p3*"] } else { &[] },
            internal_domains: if has_staff { &["staff.example"] } else { &[] },
            dedup,
            raw_signals,
            active_leads,
            period: if daily { Every::Day } else { Every::Month },
            timezone,
            allow: if filters { &["identify", "alias", "group", "Demo"] } else { &[] },
            rules,
        }
    })
}
