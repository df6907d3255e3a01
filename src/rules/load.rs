//! Loads [`Rules`] from the text of a rules file and collects all faults.

use std::ops::Range;

use ahash::AHashMap;

use super::index::Index;
use super::{
    Dedup, DedupBy, EmailField, Expect, FieldMap, IdentityConfig, Merge, PeriodLength, Plan,
    Policy, Rule, RuleTest, Rules, zone,
};
use crate::config::read::{Faults, Table, mismatch};
use crate::config::tree::{Node, Value, content_start};
use crate::diagnostic::{Diagnostic, Lines};
use crate::emit::Table as OutputTable;
use crate::event::Member;
use crate::event::content::CONTENT_MEMBERS;
use crate::event::path::Path;
use crate::fql::Expr;
use crate::fql::glob::Glob;

const SECTIONS: &[&str] = &["version", "plan", "filter", "identity", "dedup", "rule", "test"];
const PLAN: &[&str] = &["name", "raw_signals", "active_leads", "period", "timezone"];
const IDENTITY: &[&str] = &[
    "block",
    "internal_domains",
    "lookback_days",
    "merge",
    "user_id",
    "policy",
    "max_emails",
    "email",
    "user_id_is_email",
];
const RULE: &[&str] = &[
    "id",
    "when",
    "signal",
    "type",
    "high_intent",
    "description",
    "priority",
    "score",
    "limit",
    "identify",
    "map",
];

/// The state of loading a file.
struct Loader<'a> {
    source: &'a str,
    faults: Faults,
    warnings: Faults,
    columns: Vec<String>,
    /// The index of each of `columns`.
    places: AHashMap<String, usize>,
}

/// Loads the rules in `source`.
pub fn load(source: &str) -> Result<Rules, Vec<Diagnostic>> {
    let root = Node::parse(source)?;
    let (faults, warnings) = (Vec::new(), Vec::new());
    let (columns, places) = (Vec::new(), AHashMap::new());
    let mut loader = Loader { source, faults, warnings, columns, places };
    let rules = loader.file(&root);
    let Loader { mut faults, mut warnings, .. } = loader;
    faults.sort_by_key(|fault| fault.span.start);
    warnings.sort_by_key(|warning| warning.span.start);
    match rules {
        Some(rules) if faults.is_empty() => Ok(Rules { warnings, ..rules }),
        _ => Err(faults),
    }
}

impl Loader<'_> {
    fn file(&mut self, root: &Node) -> Option<Rules> {
        let file = Table::new(root, "a rules file", SECTIONS, &mut self.faults)?;
        match file.integer("version", &mut self.faults) {
            Some(1) => {}
            Some(_) => self.fault(file.get("version"), "`version` must be 1"),
            None if file.get("version").is_none() => {
                let fault = Diagnostic::error(0..0, "a rules file must say its `version`");
                self.faults.push(fault.with_help("put `version = 1` at its head"));
            }
            None => {}
        }
        let plan = file.get("plan").and_then(|node| self.plan(node)).unwrap_or_default();
        let identity =
            file.get("identity").and_then(|node| self.identity(node)).unwrap_or_default();
        let dedup = file.get("dedup").and_then(|node| self.dedup(node)).unwrap_or_default();
        let allow = file.get("filter").and_then(|node| self.allow(node));
        let rules = self.rules(file.get("rule"));
        let tests = self.list(file.get("test"), "`test`", Self::test);
        let index = Index::new(&rules);
        let columns = std::mem::take(&mut self.columns);
        Some(Rules {
            rules,
            columns,
            plan,
            allow,
            identity,
            dedup,
            tests,
            index,
            warnings: Vec::new(),
        })
    }

    fn fault(&mut self, node: Option<&Node>, message: &str) {
        let span = node.map_or(0..0, |node| node.span.clone());
        self.faults.push(Diagnostic::error(span, message));
    }

    /// Reads the items of a list of tables.
    fn list<T>(
        &mut self,
        node: Option<&Node>,
        what: &str,
        read: impl Fn(&mut Self, &Node) -> Option<T>,
    ) -> Vec<T> {
        let Some(node) = node else { return Vec::new() };
        let Value::List(items) = &node.value else {
            self.faults.push(mismatch(node, what, "a list of tables"));
            return Vec::new();
        };
        items.iter().filter_map(|item| read(self, item)).collect()
    }

    fn plan(&mut self, node: &Node) -> Option<Plan> {
        let faults = &mut self.faults;
        let table = Table::new(node, "[plan]", PLAN, faults)?;
        let mut plan = Plan {
            name: table.text("name", faults).map(|(name, _)| name.to_owned()),
            raw_signals: table.count("raw_signals", 0, faults).unwrap_or(0),
            active_leads: table.count("active_leads", 0, faults).unwrap_or(0),
            ..Plan::default()
        };
        let periods = [("month", PeriodLength::Month), ("day", PeriodLength::Day)];
        plan.period = table.choice("period", &periods, faults).unwrap_or_default();
        if let Some((name, span)) = table.text("timezone", faults) {
            match zone::named(name) {
                Some(zone) => plan.timezone = zone,
                None => faults.push(unknown_zone(name, span)),
            }
        }
        Some(plan)
    }

    fn identity(&mut self, node: &Node) -> Option<IdentityConfig> {
        let faults = &mut self.faults;
        let table = Table::new(node, "[identity]", IDENTITY, faults)?;
        let mut config = IdentityConfig::default();
        for (pattern, span) in table.texts("block", faults).unwrap_or_default() {
            match Glob::new(&pattern.to_lowercase()) {
                Ok(glob) => config.block.push(glob),
                Err(error) => {
                    faults.push(Diagnostic::error(span, format!("not a pattern: {error}")));
                }
            }
        }
        let domains = table.texts("internal_domains", faults).unwrap_or_default();
        config.internal_domains =
            domains.into_iter().map(|(domain, _)| domain.trim().to_lowercase()).collect();
        config.lookback_days = table.count("lookback_days", 0, faults);
        let merges = [("none", Merge::None), ("user_id", Merge::UserId)];
        config.merge = table.choice("merge", &merges, faults).unwrap_or_default();
        config.user_id = table.flag("user_id", faults).unwrap_or(true);
        let policies = [Policy::Split, Policy::First, Policy::Last, Policy::Strict];
        let policies = policies.map(|policy| (policy.name(), policy));
        config.policy = table.choice("policy", &policies, faults).unwrap_or_default();
        config.max_emails = table.count("max_emails", 1, faults).unwrap_or(config.max_emails);
        config.user_id_is_email = table.flag("user_id_is_email", faults).unwrap_or(false);
        if let Some(node) = table.get("email") {
            config.email = self.paths(node).into_iter().map(EmailField::new).collect();
        }
        Some(config)
    }

    fn dedup(&mut self, node: &Node) -> Option<Dedup> {
        let faults = &mut self.faults;
        let table = Table::new(node, "[dedup]", &["by", "ignore"], faults)?;
        let ways = [
            ("content", DedupBy::Content),
            ("message_id", DedupBy::MessageId),
            ("none", DedupBy::None),
        ];
        let by = table.choice("by", &ways, faults).unwrap_or_default();
        let mut ignore = Vec::new();
        for (name, span) in table.texts("ignore", faults).unwrap_or_default() {
            let member = Member::from_key(name).filter(|member| CONTENT_MEMBERS.contains(member));
            if member.is_none() {
                let names: Vec<&str> = CONTENT_MEMBERS.iter().map(|m| m.key()).collect();
                let message = format!("`{name}` is no part of an event's content");
                let help = format!("its parts are {}", names.join(", "));
                faults.push(Diagnostic::error(span, message).with_help(help));
            }
            ignore.extend(member);
        }
        Some(Dedup { by, ignore })
    }

    fn allow(&mut self, node: &Node) -> Option<Vec<(String, Range<usize>)>> {
        let table = Table::new(node, "[filter]", &["allow"], &mut self.faults)?;
        let lines = table.texts("allow", &mut self.faults)?;
        let place = |(line, span): (&str, Range<usize>)| {
            let start = content_start(self.source, &span, line).unwrap_or(span.start);
            (line.to_owned(), start..span.end)
        };
        Some(lines.into_iter().map(place).collect())
    }

    fn rules(&mut self, node: Option<&Node>) -> Vec<Rule> {
        let mut places: AHashMap<String, usize> = AHashMap::new();
        let rules = self.list(node, "`rule`", Self::rule);
        let lines = Lines::new(self.source);
        for rule in &rules {
            if let Some(first) = places.get(&rule.id) {
                let (line, ..) = lines.at(*first);
                let message = format!("a rule with the id `{}` stands at line {line}", rule.id);
                let fault = Diagnostic::error(rule.span.clone(), message);
                self.faults.push(fault.with_help("give each rule an id of its own"));
            } else {
                places.insert(rule.id.clone(), rule.span.start);
            }
        }
        rules
    }

    fn required<'n>(
        &mut self,
        table: &Table<'n>,
        what: &str,
        key: &str,
    ) -> Option<(&'n str, Range<usize>)> {
        if table.get(key).is_none() {
            let fault = Diagnostic::error(table.span.clone(), format!("{what} must have `{key}`"));
            self.faults.push(fault);
        }
        let (text, span) = table.text(key, &mut self.faults)?;
        if text.trim().is_empty() {
            self.faults.push(Diagnostic::error(span, format!("`{key}` must not be empty")));
            return None;
        }
        Some((text, span))
    }

    fn rule(&mut self, node: &Node) -> Option<Rule> {
        let table = Table::new(node, "[[rule]]", RULE, &mut self.faults)?;
        let id = self.required(&table, "a rule", "id");
        let when = self.required(&table, "a rule", "when");
        let when = when.and_then(|(when, span)| Some((self.expression(when, span)?, when)));
        let faults = &mut self.faults;
        let text = |key, faults: &mut Faults| table.text(key, faults).map(|(t, _)| t.to_owned());
        let signal = text("signal", faults).filter(|signal| !signal.is_empty());
        let signal_type = text("type", faults);
        let description = text("description", faults);
        let high_intent = table.flag("high_intent", faults).unwrap_or(false);
        let priority = table.integer("priority", faults).unwrap_or(0);
        let score = table.integer("score", faults).unwrap_or(0);
        let limit = table.count("limit", 1, faults);
        let identify = table.flag("identify", faults).unwrap_or(false);
        let map = table.get("map").and_then(|node| self.map(node)).unwrap_or_default();
        if identify && map.email.is_empty() {
            let span = table.get("identify").map_or(0..0, |node| node.span.clone());
            let warning = Diagnostic::warning(span, "`identify` does nothing without an e-mail");
            self.warnings.push(warning.with_help("map `email` to the path of the address"));
        }
        let ((id, span), (when, when_text)) = (id?, when?);
        let id = id.to_owned();
        Some(Rule {
            id,
            when,
            when_text: when_text.into(),
            signal,
            signal_type,
            high_intent,
            description,
            priority,
            score,
            limit,
            identify,
            map,
            span,
        })
    }

    fn expression(&mut self, text: &str, span: Range<usize>) -> Option<Expr> {
        let start = content_start(self.source, &span, text);
        // If the text has escapes, offsets in it do not correspond to offsets in the file.
        let placed = |diagnostic: Diagnostic| match start {
            Some(start) => diagnostic.shifted(start),
            None => Diagnostic { span: span.clone(), ..diagnostic },
        };
        match Expr::compile(text) {
            Ok(compiled) => {
                self.warnings.extend(compiled.warnings.into_iter().map(placed));
                Some(compiled.expr)
            }
            Err(diagnostics) => {
                self.faults.extend(diagnostics.into_iter().map(placed));
                None
            }
        }
    }

    fn map(&mut self, node: &Node) -> Option<FieldMap> {
        let Value::Table(entries) = &node.value else {
            self.faults.push(mismatch(node, "`map`", "a table"));
            return None;
        };
        let mut map = FieldMap::default();
        for entry in entries {
            let paths = self.paths(&entry.node);
            let field = match entry.key.as_str() {
                "email" => &mut map.email,
                "name" => &mut map.name,
                "first_name" => &mut map.first_name,
                "last_name" => &mut map.last_name,
                "company" => &mut map.company,
                "title" => &mut map.title,
                "phone" => &mut map.phone,
                own => {
                    if let Some(column) = self.column(own, &entry.key_span) {
                        map.columns.push((column, paths));
                    }
                    continue;
                }
            };
            *field = paths;
        }
        map.columns.sort_by_key(|&(column, _)| column);
        Some(map)
    }

    /// Returns the index of a custom column, which is added at its first mention.
    fn column(&mut self, name: &str, span: &Range<usize>) -> Option<usize> {
        if name.is_empty() {
            self.faults.push(Diagnostic::error(span.clone(), "a column must have a name"));
            return None;
        }
        if OutputTable::Signals(&[]).is_built_in(name) {
            let message = format!("`signals` has a column `{name}` already");
            let help = format!("choose another name, such as `mapped_{name}`");
            self.faults.push(Diagnostic::error(span.clone(), message).with_help(help));
            return None;
        }
        if let Some(&known) = self.places.get(name) {
            return Some(known);
        }
        self.places.insert(name.to_owned(), self.columns.len());
        self.columns.push(name.to_owned());
        Some(self.columns.len() - 1)
    }

    fn paths(&mut self, node: &Node) -> Vec<Path> {
        let items = match &node.value {
            Value::Text(_) => std::slice::from_ref(node),
            Value::List(items) if !items.is_empty() => items,
            _ => {
                self.faults.push(mismatch(node, "a mapped value", "a path or a list of paths"));
                return Vec::new();
            }
        };
        items.iter().filter_map(|item| self.path(item)).collect()
    }

    fn path(&mut self, node: &Node) -> Option<Path> {
        let Value::Text(text) = &node.value else {
            self.faults.push(mismatch(node, "a mapped value", "a path or a list of paths"));
            return None;
        };
        match Path::parse(text) {
            Ok(path) => Some(path),
            Err(error) => {
                let start = content_start(self.source, &node.span, text);
                let span = start.map_or(node.span.clone(), |start| {
                    let at = (start + error.offset).min(node.span.end.saturating_sub(1));
                    at..at + 1
                });
                self.faults.push(Diagnostic::error(span, error.to_string()));
                None
            }
        }
    }

    fn test(&mut self, node: &Node) -> Option<RuleTest> {
        let table = Table::new(node, "[[test]]", &["name", "event", "expect"], &mut self.faults)?;
        let name = self.required(&table, "a test", "name");
        for key in ["event", "expect"] {
            if table.get(key).is_none() {
                self.fault(Some(node), &format!("a test must have `{key}`"));
            }
        }
        let event = table.get("event")?;
        if !matches!(event.value, Value::Table(_)) {
            self.faults.push(mismatch(event, "`event`", "a table"));
        }
        let keys = ["rule", "score", "email", "signal"];
        let faults = &mut self.faults;
        let expected = Table::new(table.get("expect")?, "`expect`", &keys, faults)?;
        let text = |key, faults: &mut Faults| expected.text(key, faults).map(|(t, _)| t.to_owned());
        let expect = Expect {
            rule: text("rule", faults),
            score: expected.integer("score", faults),
            email: text("email", faults),
            signal: text("signal", faults),
        };
        let (name, event, span) = (name?.0.to_owned(), event.to_json(), node.span.clone());
        Some(RuleTest { name, event, expect, span })
    }
}

fn unknown_zone(name: &str, span: Range<usize>) -> Diagnostic {
    let fault = Diagnostic::error(span, "`timezone` must be the IANA name of a zone");
    fault.with_help(match zone::nearest(name) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "such as `UTC` or `Europe/Berlin`".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::render;

    fn errors(text: &str) -> String {
        render("rules.toml", text, &load(text).unwrap_err())
    }

    fn rule(lines: &str) -> String {
        format!("version = 1\n[[rule]]\nid = \"a\"\nwhen = 'event = \"A\"'\n{lines}\n")
    }

    #[test]
    fn all_errors_are_told_at_once_with_their_places() {
        let text = "version = 2\nfoo = 1\n[plan]\nraw_signal = 5\nperiod = \"week\"\n[[rule]]\nwhen = 'event = '\n";
        let errors = errors(text);
        for expected in [
            "rules.toml:1:11: error: `version` must be 1",
            "rules.toml:2:1: error: `foo` is no key of a rules file",
            "rules.toml:4:1: error: `raw_signal` is no key of [plan]",
            "did you mean `raw_signals`?",
            "rules.toml:5:10: error: `period` must be one of `month`, `day`",
            "error: a rule must have `id`",
            "rules.toml:7:",
        ] {
            assert!(errors.contains(expected), "{expected}\n---\n{errors}");
        }
    }

    #[test]
    fn an_expression_is_faulted_where_it_stands_in_the_file() {
        let text = "version = 1\n[[rule]]\nid = \"a\"\nwhen = 'event = and'\n";
        assert!(errors(text).contains("rules.toml:4:17: error:"), "{}", errors(text));
    }

    #[test]
    fn a_rule_that_can_never_hold_is_a_warning() {
        let text = "version = 1\n[[rule]]\nid = \"a\"\nwhen = 'event = \"A\" and event = \"B\"'\n";
        let warnings = render("rules.toml", text, &load(text).unwrap().warnings);
        assert!(warnings.starts_with("rules.toml:4:9: warning: this never holds"), "{warnings}");
        assert!(load(&rule("score = 1")).unwrap().warnings.is_empty());
    }

    #[test]
    fn a_repeated_id_is_told_where_it_stands_also_behind_a_faulty_rule() {
        let faulty = "[[rule]]\nid = \"b\"\n";
        let text = format!(
            "version = 1\n{faulty}[[rule]]\nid = \"a\"\nwhen = 'all'\n[[rule]]\nid = \"a\"\nwhen = 'all'\n"
        );
        let errors = errors(&text);
        assert!(
            errors.contains("rules.toml:8:6: error: a rule with the id `a` stands at line 5"),
            "{errors}"
        );
    }

    #[test]
    fn ids_are_unique_and_columns_are_not_built_in() {
        let twice = format!("{}[[rule]]\nid = \"a\"\nwhen = 'all'\n", rule(""));
        assert!(errors(&twice).contains("a rule with the id `a` stands at line"));
        let column = rule("[rule.map]\nscore = \"properties.score\"");
        assert!(errors(&column).contains("`signals` has a column `score` already"));
    }

    #[test]
    fn json_of_the_same_shape_reads_alike() {
        let toml = rule(
            "score = 5\n[rule.map]\nzeta = \"properties.z\"\nalpha = [\"properties.a\", \"name\"]",
        );
        let json = r#"{"version":1,"rule":[{"id":"a","when":"event = 'A'","score":5,
            "map":{"zeta":"properties.z","alpha":["properties.a","name"]}}]}"#;
        let (toml, json) = (load(&toml).unwrap(), load(json).unwrap());
        assert_eq!(toml.columns, ["zeta", "alpha"]);
        assert_eq!(toml.columns, json.columns);
        assert_eq!(format!("{:?}", toml.rules[0].map), format!("{:?}", json.rules[0].map));
        let wrong = "{\"version\":1,\n\"plan\":{\"raw_signal\":3}}";
        let errors = render("r.json", wrong, &load(wrong).unwrap_err());
        assert!(
            errors.contains("r.json:2:10: error: `raw_signal` is no key of [plan]"),
            "{errors}"
        );
    }

    #[test]
    fn wrong_types_say_what_was_expected() {
        let text =
            rule("score = 1.5\nlimit = 0\nhigh_intent = \"yes\"\n[rule.map]\nemail = \"a b\"");
        let errors = errors(&text);
        for expected in [
            "`score` must be a whole number, found a number with a fraction",
            "`limit` must be a whole number of 1 or more",
            "`high_intent` must be true or false, found a text",
            "expected a field path",
        ] {
            assert!(errors.contains(expected), "{expected}\n---\n{errors}");
        }
    }
}
