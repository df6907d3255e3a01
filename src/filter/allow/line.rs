//! Parsing of one line of an allow list, with warnings about likely mistakes.

use super::{Entry, span_in};
use crate::diagnostic::Diagnostic;
use crate::event::CallType;
use crate::fql::Expr;
use crate::fql::glob::Glob;

/// The prefix of an expression, without its colon.
const FQL: &str = "fql";

/// An entry and its warnings.
type Parsed = (Entry, Vec<Diagnostic>);

/// Returns `line` without its comment. A comment begins with a `#` at the start of the line or
/// between blanks, except inside a string of an expression.
pub(super) fn without_comment(line: &str) -> &str {
    let text = line.trim_start();
    if text.starts_with('#') {
        return "";
    }
    let has_strings = text.starts_with(FQL);
    let mut quote = None;
    let mut before = ' ';
    for (at, char) in line.char_indices() {
        if quote == Some(char) {
            quote = None;
        } else if quote.is_none() {
            let alone = before.is_whitespace()
                && line[at + char.len_utf8()..].chars().next().is_none_or(char::is_whitespace);
            if char == '#' && alone {
                return &line[..at];
            }
            if has_strings && matches!(char, '\'' | '"') {
                quote = Some(char);
            }
        }
        before = char;
    }
    line
}

/// Parses `text`, which is not empty and has no surrounding whitespace; spans are byte ranges of
/// it.
pub(super) fn entry(text: &str) -> Result<Parsed, Vec<Diagnostic>> {
    if let Some(call) = CallType::from_name(text) {
        return Ok((Entry::Call(call), Vec::new()));
    }
    if let Some((mark, source)) = text.split_once(':')
        && mark.trim_end().eq_ignore_ascii_case(FQL)
    {
        return if mark == FQL {
            expression(text, source)
        } else {
            Err(vec![missing_prefix(mark)])
        };
    }
    let (word, rest) = first_word(text);
    match word {
        "page" => Ok((Entry::Page(pattern(text, rest)?), Vec::new())),
        "screen" => Ok((Entry::Screen(pattern(text, rest)?), Vec::new())),
        FQL => Err(vec![missing_prefix(word)]),
        _ => Ok((Entry::Event(text.into()), misread_warning(text).into_iter().collect())),
    }
}

fn missing_prefix(mark: &str) -> Diagnostic {
    Diagnostic::error(0..mark.len(), "expected `fql:` before an expression")
        .with_help("such as `fql: event = 'Form Submitted'`")
}

fn expression(text: &str, source: &str) -> Result<Parsed, Vec<Diagnostic>> {
    let source = source.trim();
    let offset = if source.is_empty() { text.len() } else { span_in(text, source).start };
    let shift = |found: Vec<Diagnostic>| {
        found.into_iter().map(|diagnostic| diagnostic.shifted(offset)).collect::<Vec<_>>()
    };
    let compiled = Expr::compile(source).map_err(shift)?;
    Ok((Entry::Fql(Box::new(compiled.expr)), shift(compiled.warnings)))
}

fn pattern(text: &str, pattern: &str) -> Result<Glob, Vec<Diagnostic>> {
    Glob::new(pattern).map_err(|error| {
        let at = span_in(text, pattern).start + error.offset;
        let width = text[at..].chars().next().map_or(0, char::len_utf8);
        vec![
            Diagnostic::error(at..at + width, error.message)
                .with_help("in a pattern a backslash makes the next character literal"),
        ]
    })
}

/// Returns the first word and the rest of the text without the whitespace between them.
fn first_word(text: &str) -> (&str, &str) {
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}

/// Returns a warning if the name of an event looks like a line of another kind.
fn misread_warning(text: &str) -> Option<Diagnostic> {
    let (word, rest) = first_word(text);
    let word = word.trim_end_matches(':').to_ascii_lowercase();
    let call =
        CallType::from_name(&word).or_else(|| word.strip_suffix('s').and_then(CallType::from_name));
    let looks_like_path = rest.starts_with('/') || rest.contains('*');
    let help = match call {
        Some(call) if rest.is_empty() => format!("did you mean `{}`?", call.name()),
        Some(call @ (CallType::Page | CallType::Screen)) if looks_like_path => {
            format!("did you mean `{} {rest}`?", call.name())
        }
        Some(CallType::Track) => format!("the name of an event stands alone: `{rest}`"),
        _ if is_quoted(text) => "write the name without quotes".to_owned(),
        _ if ["=", "match(", "contains("].iter().any(|sign| text.contains(sign)) => {
            format!("did you mean `fql: {text}`?")
        }
        _ if text.contains('*') => {
            "names have no wildcards; write `fql: match(event, 'Form *')`".to_owned()
        }
        _ => return None,
    };
    let message = "this is read as the name of a track event";
    Some(Diagnostic::warning(0..text.len(), message).with_help(help))
}

fn is_quoted(text: &str) -> bool {
    ['"', '\'', '`']
        .iter()
        .any(|&quote| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote))
}
