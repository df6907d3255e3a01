//! Bots, detected by the user agents of their events.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use ahash::AHashMap;
use hashbrown::HashMap;
use regex::Regex;

/// The maximum number of user agents that a worker remembers.
const REMEMBERED: usize = 4096;
/// The maximum length of a user agent that is remembered, in bytes; those of browsers and bots are
/// shorter.
const REMEMBERED_BYTES: usize = 512;
/// The maximum length of a bot's name, in characters.
const NAME_CHARS: usize = 40;

/// Tags of the list for programs that people use themselves: the HTTP client of a customer's
/// integration sends the events that a server tracks, and feed readers show pages to their readers.
const PROGRAMS: [&str; 2] = ["http-library", "feed-reader"];

/// A bot, named by its user agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bot {
    /// The pattern of the list that matches the user agent.
    pattern: &'static str,
    /// The part of the user agent that the pattern matches.
    name: Box<str>,
}

/// Detects bots by user agent, and remembers the result for each distinct one.
#[derive(Debug, Default)]
pub struct UserAgents {
    known: HashMap<Box<str>, Option<Bot>, ahash::RandomState>,
    /// The compiled expressions that find the names, by pattern; only those of bots that have
    /// occurred.
    patterns: AHashMap<&'static str, Option<Regex>>,
}

impl UserAgents {
    /// Passes the bot that `user_agent` names, if any, to `then`, and returns `true` if there is
    /// one.
    pub fn bot(&mut self, user_agent: &str, then: impl FnOnce(&Bot)) -> bool {
        if let Some(known) = self.known.get(user_agent) {
            known.as_ref().map(then);
            return known.is_some();
        }
        let found = self.find(user_agent);
        found.as_ref().map(then);
        let is_bot = found.is_some();
        if user_agent.len() <= REMEMBERED_BYTES {
            if self.known.len() == REMEMBERED {
                self.known.clear();
            }
            self.known.insert(user_agent.into(), found);
        }
        is_bot
    }

    fn find(&mut self, user_agent: &str) -> Option<Bot> {
        let info = iscrawl::crawler_info(user_agent)?;
        let is_program = |tag: &String| PROGRAMS.contains(&tag.as_str());
        if !info.tags.is_empty() && info.tags.iter().all(is_program) {
            return None;
        }
        let pattern = info.pattern.as_str();
        let regex = self.patterns.entry(pattern).or_insert_with(|| Regex::new(pattern).ok());
        let found = regex.as_ref().and_then(|regex| regex.find(user_agent));
        let found = found.map_or(pattern, |found| found.as_str());
        let name = found.trim_matches(|char: char| !char.is_alphanumeric());
        let end = name.char_indices().nth(NAME_CHARS).map_or(name.len(), |(at, _)| at);
        Some(Bot { pattern, name: name[..end].into() })
    }
}

/// The number of signals of each bot.
#[derive(Debug, Default)]
pub struct BotSignals {
    /// The count and the alphabetically first name, by pattern. The patterns bound the memory,
    /// whatever user agents contain, and the name does not depend on the order of the events.
    by_pattern: AHashMap<&'static str, (u64, Box<str>)>,
}

impl BotSignals {
    /// Counts a signal of `bot`.
    pub fn see(&mut self, bot: &Bot) {
        self.add(bot.pattern, 1, &bot.name);
    }

    /// Returns the name and the number of signals of each bot, the most frequent first.
    pub fn names(&self) -> Vec<(&str, u64)> {
        let mut by_name: BTreeMap<&str, u64> = BTreeMap::new();
        for (count, name) in self.by_pattern.values() {
            *by_name.entry(name).or_default() += count;
        }
        let mut names: Vec<_> = by_name.into_iter().collect();
        names.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        names
    }

    fn add(&mut self, pattern: &'static str, count: u64, name: &str) {
        let (sum, first) = self.by_pattern.entry(pattern).or_insert_with(|| (0, name.into()));
        *sum += count;
        if name < &**first {
            *first = name.into();
        }
    }
}

impl AddAssign for BotSignals {
    fn add_assign(&mut self, other: Self) {
        for (pattern, (count, name)) in other.by_pattern {
            self.add(pattern, count, &name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(user_agent: &str) -> Option<String> {
        let mut agents = UserAgents::default();
        let mut name = None;
        let is_bot = agents.bot(user_agent, |bot| name = Some(bot.name.to_string()));
        assert_eq!(is_bot, name.is_some());
        name
    }

    #[test]
    fn bots_are_told_by_name() {
        for (user_agent, name) in [
            (
                "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                "Googlebot",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0.0.0 Safari", "HeadlessChrome"),
            ("Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)", "ClaudeBot"),
            ("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "AhrefsBot"),
        ] {
            assert_eq!(name_of(user_agent).as_deref(), Some(name), "{user_agent}");
        }
    }

    #[test]
    fn browsers_apps_and_http_clients_are_no_bots() {
        for user_agent in [
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
             Chrome/120.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Linux; Android 13; CUBOT_X30) AppleWebKit/537.36 Chrome/110.0.0.0 Mobile",
            "Dalvik/2.1.0 (Linux; U; Android 8.0.0; SM-G930F Build/R16NW)",
            "python-requests/2.31.0",
            "",
        ] {
            assert_eq!(name_of(user_agent), None, "{user_agent}");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded_and_changes_nothing() {
        let mut agents = UserAgents::default();
        for number in 0..3 * REMEMBERED {
            let is_bot = number % 2 == 0;
            let name = if is_bot { "Googlebot/" } else { "Firefox/" };
            assert_eq!(agents.bot(&format!("{name}{number}"), |_| {}), is_bot);
            assert!(agents.known.len() <= REMEMBERED);
        }
        let long = format!("Googlebot/{}", "9".repeat(REMEMBERED_BYTES));
        let before = agents.known.len();
        assert!(agents.bot(&long, |_| {}));
        assert_eq!(agents.known.len(), before);
    }

    #[test]
    fn sums_do_not_depend_on_the_order() {
        let bot = |name: &str| Bot { pattern: "[bB]ot", name: name.into() };
        let mut one = BotSignals::default();
        one.see(&bot("bot"));
        let mut other = BotSignals::default();
        other.see(&bot("Bot"));
        other.see(&Bot { pattern: "spider", name: "spider".into() });
        other += one;
        assert_eq!(other.names(), [("Bot", 2), ("spider", 1)]);
    }
}
