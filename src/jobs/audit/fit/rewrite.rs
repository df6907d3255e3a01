//! Rewrites an allow list so that it no longer lets certain events pass, with the lines in the same
//! order and as few of them changed as possible.

use crate::event::CallType;
use crate::filter::allow::{AllowList, Entry, Line};

/// The events to drop, described so that filters can express it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// Track events with this name.
    Track(&'a str),
    /// Page or screen calls: those that only the line at this index matches, or all of them if
    /// `None`.
    Pages(CallType, Option<usize>),
    /// All events of a call.
    Call(CallType),
}

impl Target<'_> {
    /// Returns the FQL condition of the events, or `None` if FQL cannot express it.
    fn condition(&self) -> Option<String> {
        match self {
            Self::Track(name) => Some(format!("type = \"track\" and event = {}", quoted(name)?)),
            Self::Pages(call, _) | Self::Call(call) => Some(format!("type = \"{}\"", call.name())),
        }
    }

    fn call(&self) -> CallType {
        match self {
            Self::Track(_) => CallType::Track,
            Self::Pages(call, _) | Self::Call(call) => *call,
        }
    }
}

/// Returns the condition of a destination filter that drops `target`, or `None` if FQL cannot
/// express it.
pub fn condition(target: &Target<'_>) -> Option<String> {
    target.condition()
}

/// Returns the lines of `list`, changed so that they match none of `targets`, or `None` if that
/// cannot be expressed.
pub fn rewritten(list: &AllowList, targets: &[Target<'_>]) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    for (place, line) in list.lines().iter().enumerate() {
        let touches: Vec<Overlap> =
            targets.iter().map(|target| overlap(place, line, target)).collect();
        if touches.contains(&Overlap::Whole) {
            continue;
        }
        let in_part = targets.iter().zip(touches).filter(|(_, touch)| *touch == Overlap::Part);
        let excluded: Option<Vec<String>> =
            in_part.map(|(target, _)| Some(format!("!({})", target.condition()?))).collect();
        lines.push(narrowed(line, &excluded?));
    }
    Some(lines)
}

/// Returns `line` without the events that the conditions in `excluded` describe.
fn narrowed(line: &Line, excluded: &[String]) -> String {
    if excluded.is_empty() {
        return line.text.to_string();
    }
    let kept = match &line.entry {
        Entry::Call(call) => format!("type = \"{}\"", call.name()),
        _ => format!("({})", line.text.split_once(':').map_or("", |(_, expr)| expr.trim())),
    };
    format!("fql: {kept} and {}", excluded.join(" and "))
}

/// How much of what a line matches is a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overlap {
    None,
    Part,
    Whole,
}

fn overlap(place: usize, line: &Line, target: &Target<'_>) -> Overlap {
    match (&line.entry, target) {
        (Entry::Event(name), Target::Track(dropped)) if **name == **dropped => Overlap::Whole,
        (Entry::Call(CallType::Track), Target::Track(_)) => Overlap::Part,
        (Entry::Call(call), Target::Call(dropped)) if call == dropped => Overlap::Whole,
        // A later line that repeats an earlier one is removed with it.
        (Entry::Call(call), Target::Pages(dropped, _)) if call == dropped => Overlap::Whole,
        (_, Target::Pages(_, Some(by))) if *by != place => Overlap::None,
        (Entry::Page(_), Target::Pages(CallType::Page, _))
        | (Entry::Screen(_), Target::Pages(CallType::Screen, _)) => Overlap::Whole,
        (Entry::Fql(expr), target) => {
            let demand = expr.demand();
            let calls = demand.calls.is_none_or(|calls| calls.contains(&target.call()));
            let named = demand.events.is_none_or(|events| match target {
                Target::Track(name) => events.iter().any(|event| **event == **name),
                _ => false,
            });
            if calls && named { Overlap::Part } else { Overlap::None }
        }
        _ => Overlap::None,
    }
}

/// Returns `text` as a string of FQL, which has no escapes. Returns `None` if it contains both
/// kinds of quotes or a control character.
fn quoted(text: &str) -> Option<String> {
    if text.chars().any(char::is_control) {
        return None;
    }
    let quote = ['"', '\''].into_iter().find(|quote| !text.contains(*quote))?;
    Some(format!("{quote}{text}{quote}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrow(text: &str, targets: &[Target<'_>]) -> Option<Vec<String>> {
        let (list, _) = AllowList::parse(text).unwrap();
        rewritten(&list, targets)
    }

    #[test]
    fn only_the_lines_that_take_it_change() {
        let list = "identify\nSigned Up\ntrack\npage /a*\npage /b*\nfql: event in [\"Signed Up\", \"X\"]\nfql: event = \"Y\"";
        assert_eq!(
            narrow(list, &[Target::Track("Signed Up"), Target::Pages(CallType::Page, Some(4))]),
            Some(
                [
                    "identify",
                    "fql: type = \"track\" and !(type = \"track\" and event = \"Signed Up\")",
                    "page /a*",
                    "fql: (event in [\"Signed Up\", \"X\"]) and !(type = \"track\" and event = \"Signed Up\")",
                    "fql: event = \"Y\"",
                ]
                .map(str::to_owned)
                .to_vec()
            )
        );
    }

    #[test]
    fn every_rewritten_list_is_a_list() {
        let list = "track\nscreen\ngroup\nalias\nfql: type = 'group' or contains(event, 'x')";
        let targets = [
            Target::Track("it's"),
            Target::Track("say \"x\" # no comment"),
            Target::Call(CallType::Group),
            Target::Pages(CallType::Screen, Some(1)),
        ];
        let lines = narrow(list, &targets).unwrap().join("\n");
        let (list, _) =
            AllowList::parse(&lines).unwrap_or_else(|found| panic!("{lines}\n{found:?}"));
        assert_eq!(list.lines().len(), 3, "{lines}");
    }

    #[test]
    fn what_fql_cannot_write_is_left_alone() {
        assert_eq!(narrow("track", &[Target::Track("'\"")]), None);
        assert_eq!(narrow("'\"\nidentify", &[Target::Track("'\"")]).unwrap(), ["identify"]);
    }
}
