//! Allow lists: one line for each kind of event that passes.
//!
//! A line is a call (`identify`), the name of a track event (`Form Submitted`), `page PATTERN` or
//! `screen PATTERN` (a glob for the path or the name of the page), or `fql: EXPRESSION`. An event
//! passes if it matches any line.

mod line;
mod page;
#[cfg(test)]
mod tests;

use std::ops::Range;

use ahash::AHashMap;

use crate::diagnostic::{Diagnostic, Severity};
use crate::event::{CallType, Event, Member};
use crate::fql::Expr;
use crate::fql::glob::Glob;

/// The condition of a line.
#[derive(Clone, Debug)]
pub enum Entry {
    /// All events of a call.
    Call(CallType),
    /// Track events with this name.
    Event(Box<str>),
    /// Page events whose path or name matches.
    Page(Glob),
    /// Screen events whose path or name matches.
    Screen(Glob),
    /// Events for which an expression holds.
    Fql(Box<Expr>),
}

/// A line of the list.
#[derive(Clone, Debug)]
pub struct Line {
    /// The text of the line, without comments and surrounding whitespace.
    pub text: Box<str>,
    /// The line number in a file, or the position in a list, starting at 1.
    pub number: usize,
    /// The condition of the line.
    pub entry: Entry,
}

/// An allow list with an index, so that the cost of an event does not grow with the number of
/// names.
#[derive(Clone, Debug, Default)]
pub struct AllowList {
    lines: Vec<Line>,
    calls: [Option<usize>; CallType::ALL.len()],
    names: AHashMap<Box<str>, usize>,
    /// For each call, the lines that must be evaluated one after the other.
    tried: [Vec<usize>; CallType::ALL.len()],
    /// For each event name, the lines that only need to be evaluated for events of that name.
    tried_by_name: AHashMap<Box<str>, Vec<usize>>,
}

/// A diagnostic about one entry of a list, and the index of the entry, starting at 0.
pub type InEntry = (usize, Diagnostic);

impl AllowList {
    /// Parses the text of a file. Each line is an entry, blank, or a comment that begins with `#`.
    /// A `#` between blanks also begins a comment, so `Order #1` is a name.
    ///
    /// # Errors
    /// Returns all errors; spans are byte ranges of `text`. On success, the warnings are returned.
    pub fn parse(text: &str) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let mut list = Self::default();
        let mut found = Vec::new();
        let mut start = 0;
        for (place, whole) in text.split_inclusive('\n').enumerate() {
            let unmarked = if place == 0 { whole.trim_start_matches('\u{feff}') } else { whole };
            let content = line::without_comment(unmarked);
            let offset = start + (whole.len() - unmarked.len());
            start += whole.len();
            let diagnostics = list.add(content, place + 1);
            found.extend(diagnostics.into_iter().map(|diagnostic| diagnostic.shifted(offset)));
        }
        if has_error(&found) {
            found.retain(|diagnostic| diagnostic.severity == Severity::Error);
            return Err(found);
        }
        Ok((list, found))
    }

    /// Parses the entries of a list, as in a rules file. Entries have no comments, since the file
    /// has its own.
    ///
    /// # Errors
    /// Returns all errors; spans are byte ranges of the entry. On success, the warnings are
    /// returned.
    pub fn from_lines(entries: &[String]) -> Result<(Self, Vec<InEntry>), Vec<InEntry>> {
        let mut list = Self::default();
        let mut found = Vec::new();
        for (place, entry) in entries.iter().enumerate() {
            found.extend(
                list.add(entry, place + 1).into_iter().map(|diagnostic| (place, diagnostic)),
            );
        }
        if found.iter().any(|(_, diagnostic)| diagnostic.severity == Severity::Error) {
            found.retain(|(_, diagnostic)| diagnostic.severity == Severity::Error);
            return Err(found);
        }
        Ok((list, found))
    }

    /// Returns the lines, in order.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Returns the index in [`AllowList::lines`] of the first line that `event` matches.
    pub fn takes(&self, event: &Event<'_>) -> Option<usize> {
        let call = event.call_type()?;
        let name = event.text(Member::Event);
        let mut first = self.calls[call as usize];
        if call == CallType::Track {
            let named = name.and_then(|name| self.names.get(name).copied());
            first = earlier(first, named);
        }
        first = self.first_tried(&self.tried[call as usize], event, first);
        match name.and_then(|name| self.tried_by_name.get(name)) {
            Some(lines) => self.first_tried(lines, event, first),
            None => first,
        }
    }

    /// Returns the indices in [`AllowList::lines`] of all lines that `event` matches, unsorted and
    /// possibly repeated. Of lines with the same condition, only the first is included.
    pub fn matching_lines<'l>(&'l self, event: &'l Event<'_>) -> impl Iterator<Item = usize> + 'l {
        self.candidates(event).filter(|&line| self.line_takes(line, event))
    }

    /// Sets the flags of the lines that `event` matches; `seen` has one flag for each of
    /// [`AllowList::lines`]. Lines whose flag is already set are not evaluated again.
    pub fn mark_matching_lines(&self, event: &Event<'_>, seen: &mut [bool]) {
        for line in self.candidates(event) {
            if !seen[line] && self.line_takes(line, event) {
                seen[line] = true;
            }
        }
    }

    /// Returns the lines that `event` may match, unsorted.
    fn candidates<'l>(&'l self, event: &Event<'_>) -> impl Iterator<Item = usize> + 'l {
        let call = event.call_type();
        let name = event.text(Member::Event);
        let named = match call {
            Some(CallType::Track) => name.and_then(|name| self.names.get(name).copied()),
            _ => None,
        };
        let calls = call.and_then(|call| self.calls[call as usize]);
        let tried = call.map_or(&[][..], |call| &self.tried[call as usize]);
        let by_name = name.and_then(|name| self.tried_by_name.get(name));
        let by_name = by_name.map_or(&[][..], Vec::as_slice);
        calls.into_iter().chain(named).chain(tried.iter().copied()).chain(by_name.iter().copied())
    }

    /// Returns `true` if `event` matches `line`, one of its candidates.
    fn line_takes(&self, line: usize, event: &Event<'_>) -> bool {
        match &self.lines[line].entry {
            Entry::Page(glob) | Entry::Screen(glob) => page::matches(event, glob),
            Entry::Fql(expr) => expr.holds(event),
            Entry::Call(_) | Entry::Event(_) => true,
        }
    }

    /// Returns the first of `lines` that is before `found` and that `event` matches, else `found`.
    fn first_tried(
        &self,
        lines: &[usize],
        event: &Event<'_>,
        found: Option<usize>,
    ) -> Option<usize> {
        lines
            .iter()
            .copied()
            .take_while(|&line| found.is_none_or(|found| line < found))
            .find(|&line| self.line_takes(line, event))
            .or(found)
    }

    /// Adds the entry in `content`, if there is one, and returns its diagnostics.
    fn add(&mut self, content: &str, number: usize) -> Vec<Diagnostic> {
        let text = content.trim();
        if text.is_empty() {
            return Vec::new();
        }
        let offset = content.len() - content.trim_start().len();
        let (entry, mut found) = match line::entry(text) {
            Ok(parsed) => parsed,
            Err(errors) => return errors.into_iter().map(|error| error.shifted(offset)).collect(),
        };
        found.extend(self.repeated(text, &entry));
        self.index(&entry);
        self.lines.push(Line { text: text.into(), number, entry });
        found.into_iter().map(|diagnostic| diagnostic.shifted(offset)).collect()
    }

    /// Returns a warning if an earlier line has the same call or name.
    fn repeated(&self, text: &str, entry: &Entry) -> Option<Diagnostic> {
        let earlier = match entry {
            Entry::Call(call) => self.calls[*call as usize]?,
            Entry::Event(name) => *self.names.get(name)?,
            Entry::Page(_) | Entry::Screen(_) | Entry::Fql(_) => return None,
        };
        let message = format!("line {} says the same already", self.lines[earlier].number);
        Some(Diagnostic::warning(0..text.len(), message))
    }

    /// Adds the entry of the next line to the index.
    fn index(&mut self, entry: &Entry) {
        let place = self.lines.len();
        match entry {
            Entry::Call(call) => {
                self.calls[*call as usize].get_or_insert(place);
            }
            Entry::Event(name) => {
                self.names.entry(name.clone()).or_insert(place);
            }
            Entry::Page(_) => self.tried[CallType::Page as usize].push(place),
            Entry::Screen(_) => self.tried[CallType::Screen as usize].push(place),
            Entry::Fql(expr) => self.index_expr(expr, place),
        }
    }

    fn index_expr(&mut self, expr: &Expr, place: usize) {
        let demand = expr.demand();
        if let Some(names) = demand.events {
            for name in names {
                self.tried_by_name.entry(name).or_default().push(place);
            }
            return;
        }
        for call in demand.calls.as_deref().unwrap_or(&CallType::ALL) {
            self.tried[*call as usize].push(place);
        }
    }
}

fn has_error(found: &[Diagnostic]) -> bool {
    found.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

/// Returns the earlier of two lines.
fn earlier(left: Option<usize>, right: Option<usize>) -> Option<usize> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (left, right) => left.or(right),
    }
}

/// Returns the range of `part`, a slice of `text`, within `text`.
fn span_in(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr() as usize - text.as_ptr() as usize;
    start..start + part.len()
}
