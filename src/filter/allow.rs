//! Allow lists: one line for each kind of event that passes.
//!
//! A line is a call (`identify`), the name of a track event (`Form Submitted`), `page PATTERN` or
//! `screen PATTERN` (a glob on the path or the name of the page), or `fql: EXPRESSION`. An event
//! passes if any line takes it.

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

/// What a line takes.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Every event of a call.
    Call(CallType),
    /// Track events of this name.
    Event(Box<str>),
    /// Pages of which the path or the name matches.
    Page(Glob),
    /// Screens of which the path or the name matches.
    Screen(Glob),
    /// Events of which an expression is true.
    Fql(Box<Expr>),
}

/// A line that takes events.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its text, without comments and the blanks around it.
    pub text: Box<str>,
    /// Where it stands, from 1: the line of a file, or the place in a list.
    pub number: usize,
    /// What it takes.
    pub entry: Entry,
}

/// An allow list, indexed so that what an event costs does not grow with the number of names.
#[derive(Clone, Debug, Default)]
pub struct AllowList {
    lines: Vec<Line>,
    calls: [Option<usize>; CallType::ALL.len()],
    names: AHashMap<Box<str>, usize>,
    /// The lines that must be tried one after another, by call.
    tried: [Vec<usize>; CallType::ALL.len()],
    /// Those of the lines that are tried only for an event of a name.
    tried_by_name: AHashMap<Box<str>, Vec<usize>>,
}

/// Something wrong with the text of one entry of a list, and the place of the entry, from 0.
pub type InEntry = (usize, Diagnostic);

impl AllowList {
    /// Reads the text of a file: a line is an entry, blank, or a comment that begins with `#`. A
    /// `#` that stands alone between blanks begins a comment too, so `Order #1` is a name.
    ///
    /// # Errors
    /// Everything wrong with it, spans in bytes of `text`; on success what is doubtful.
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

    /// Reads entries that stand in a list of their own, as in a rules file: no comments, since the
    /// file has its own.
    ///
    /// # Errors
    /// Everything wrong with them, spans in bytes of the entry; on success what is doubtful.
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

    /// The entries, in order.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The place in [`AllowList::lines`] of the first line that takes `event`.
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

    /// The places in [`AllowList::lines`] of all lines that take `event`, in no order and some
    /// perhaps twice; of lines that say the same, the first alone.
    pub fn takers<'l>(&'l self, event: &'l Event<'_>) -> impl Iterator<Item = usize> + 'l {
        self.candidates(event).filter(|&line| self.line_takes(line, event))
    }

    /// Sets, in a list of one flag for each of [`AllowList::lines`], those of the lines that take
    /// `event`. Lines whose flag is set already are not asked again.
    pub fn mark_takers(&self, event: &Event<'_>, seen: &mut [bool]) {
        for line in self.candidates(event) {
            if !seen[line] && self.line_takes(line, event) {
                seen[line] = true;
            }
        }
    }

    /// The lines that may take `event`, in no order.
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

    /// Whether `line`, one of the candidates, takes `event`.
    fn line_takes(&self, line: usize, event: &Event<'_>) -> bool {
        match &self.lines[line].entry {
            Entry::Page(glob) | Entry::Screen(glob) => page::matches(event, glob),
            Entry::Fql(expr) => expr.holds(event),
            Entry::Call(_) | Entry::Event(_) => true,
        }
    }

    /// The first of `lines` that stands before `found` and takes `event`, else `found`.
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

    /// Adds the entry that `content` is, if it is one; gives what is wrong with it.
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

    /// A warning where an earlier line is the same call or name.
    fn repeated(&self, text: &str, entry: &Entry) -> Option<Diagnostic> {
        let earlier = match entry {
            Entry::Call(call) => self.calls[*call as usize]?,
            Entry::Event(name) => *self.names.get(name)?,
            Entry::Page(_) | Entry::Screen(_) | Entry::Fql(_) => return None,
        };
        let message = format!("line {} says the same already", self.lines[earlier].number);
        Some(Diagnostic::warning(0..text.len(), message))
    }

    /// Makes the next line be found.
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

/// The earlier of two lines.
fn earlier(left: Option<usize>, right: Option<usize>) -> Option<usize> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (left, right) => left.or(right),
    }
}

/// The part of `text` that `part`, a slice of it, is.
fn span_in(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr() as usize - text.as_ptr() as usize;
    start..start + part.len()
}
