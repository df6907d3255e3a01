//! Diagnostics about texts that users write: the fault, its span, and advice; rendered on demand.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

use crate::mask;
pub use crate::mask::addresses as masked;
use unicode_width::UnicodeWidthChar as _;

/// The maximum width of a source line that is shown whole; a wider one is shown as a window around
/// the span.
const WINDOW_COLUMNS: usize = 100;
/// The number of columns of the window before the span.
const LEAD_COLUMNS: usize = 40;
/// The maximum length of an e-mail address, in characters (RFC 5321).
const MAX_ADDRESS_CHARS: usize = 254;
/// The maximum number of diagnostics of one text that are shown; the others are counted.
pub const MAX_SHOWN: usize = 100;
/// The number of bytes around the window of a long line that are searched for secrets.
const SECRET_SEARCH_BYTES: usize = 4 << 10;
/// The blanks that replace a tab, so that the caret is below its character on any terminal.
const TAB: &str = "    ";

/// The severity of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The text cannot be used.
    Error,
    /// The text can be used, but likely does not do what its author meant.
    Warning,
}

/// A fault in a source text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The severity.
    pub severity: Severity,
    /// The byte range of the source text that the diagnostic is about, starting at 0.
    pub span: Range<usize>,
    /// The fault, and what was expected.
    pub message: String,
    /// Advice on how to correct it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Creates an error about `span`.
    pub fn error(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, span, message: message.into(), help: None }
    }

    /// Creates a warning about `span`.
    pub fn warning(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, span, message: message.into(), help: None }
    }

    /// Adds advice.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Moves the span by `offset`, for a text that begins at `offset` in a longer one.
    #[must_use]
    pub fn shifted(mut self, offset: usize) -> Self {
        self.span = self.span.start + offset..self.span.end + offset;
        self
    }
}

/// Renders each of `diagnostics` in the order of the text: `name:line:column: error: message`, the
/// source line, carets below the span, and the help. Columns count characters from 1. Diagnostics
/// past the first [`MAX_SHOWN`] are counted in a last line. E-mail addresses are [`masked`].
pub fn render(name: &str, source: &str, diagnostics: &[Diagnostic]) -> String {
    let lines = Lines::new(source);
    let mut ordered: Vec<_> = diagnostics.iter().collect();
    ordered.sort_by_key(|diagnostic| diagnostic.span.start);
    let mut out = String::new();
    for diagnostic in ordered.iter().take(MAX_SHOWN) {
        if !out.is_empty() {
            out.push('\n');
        }
        render_one(&mut out, name, &lines, diagnostic);
    }
    if let Some(rest) = ordered.get(MAX_SHOWN..).filter(|rest| !rest.is_empty()) {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "\n{}: {}", printable(name), more(rest));
    }
    out
}

/// Returns a text such as `and 1234 more errors`.
fn more(rest: &[&Diagnostic]) -> String {
    let all = |severity| rest.iter().all(|diagnostic| diagnostic.severity == severity);
    let what = match rest.len() {
        1 if all(Severity::Error) => "error",
        1 => "warning",
        _ if all(Severity::Error) => "errors",
        _ if all(Severity::Warning) => "warnings",
        _ => "errors and warnings",
    };
    format!("and {} more {what}", rest.len())
}

/// Returns the line and column of a byte of `source`, both starting at 1; columns count characters.
/// For many offsets in one text, use one [`Lines`], which finds the lines only once.
pub fn position(source: &str, offset: usize) -> (usize, usize) {
    Lines::new(source).position(offset)
}

/// The [`position`] of the first error among `diagnostics` of `source`; its start if there is none.
pub fn first_error(source: &str, diagnostics: &[Diagnostic]) -> (usize, usize) {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    let first = errors.map(|error| error.span.start.min(source.len())).min();
    position(source, first.unwrap_or(0))
}

fn render_one(out: &mut String, name: &str, lines: &Lines<'_>, diagnostic: &Diagnostic) {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let from = diagnostic.span.start.min(lines.source.len());
    let (_, line, start) = lines.at(from);
    let span = from - start..diagnostic.span.end.max(from) - start;
    let (number, column) = lines.position(from);
    let (text, carets) = excerpt(line, &span);
    let (name, gutter) = (printable(name), number.to_string());
    let blank = " ".repeat(gutter.len());
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{name}:{number}:{column}: {severity}: {}", clean(&diagnostic.message));
    let _ = writeln!(out, " {gutter} | {}", masked(&text));
    let _ = writeln!(out, " {blank} | {carets}");
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(out, "help: {}", clean(help));
    }
}

/// An index of the lines of a text that makes look-ups of many offsets cheap, even in one giant
/// line.
pub struct Lines<'s> {
    source: &'s str,
    starts: Vec<usize>,
    /// For each multiple of [`Lines::STEP`] bytes, the number of characters that begin before it.
    counted: Vec<usize>,
}

impl<'s> Lines<'s> {
    const STEP: usize = 1024;

    /// Creates the index of `source`.
    pub fn new(source: &'s str) -> Self {
        let breaks = source.match_indices('\n').map(|(offset, _)| offset + 1);
        let counted = source.as_bytes().chunks(Self::STEP).scan(0, |count, chunk| {
            let before = *count;
            *count += characters(chunk);
            Some(before)
        });
        let starts = std::iter::once(0).chain(breaks).collect();
        Self { source, starts, counted: counted.collect() }
    }

    /// Returns the line that contains the byte `offset`: its number, starting at 1, its text
    /// without the line break, and its start.
    pub fn at(&self, offset: usize) -> (usize, &'s str, usize) {
        let number = self.starts.partition_point(|&start| start <= offset);
        let start = self.starts[number - 1];
        let end = self.starts.get(number).map_or(self.source.len(), |&next| next - 1);
        let line = &self.source[start..end];
        (number, line.strip_suffix('\r').unwrap_or(line), start)
    }

    /// Returns the line and column of the byte `offset`, both starting at 1; columns count
    /// characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let (number, line, start) = self.at(offset);
        let at = start + char_boundary(line, offset - start);
        (number, self.characters_before(at) - self.characters_before(start) + 1)
    }

    /// Returns the number of characters that begin before the byte `offset`.
    fn characters_before(&self, offset: usize) -> usize {
        let step = (offset / Self::STEP).min(self.counted.len().saturating_sub(1));
        let counted = self.counted.get(step).copied().unwrap_or(0);
        counted + characters(&self.source.as_bytes()[step * Self::STEP..offset])
    }
}

/// Returns the number of characters that begin in `bytes`, a part of a UTF-8 text.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0xC0 != 0x80).count()
}

/// Returns the line, or the part of it around `span` that fits, with e-mail addresses [`masked`],
/// and the line of carets below it.
pub(crate) fn excerpt(line: &str, span: &Range<usize>) -> (String, String) {
    let from = char_boundary(line, span.start);
    let to = char_boundary(line, span.end).max(from);
    let (begin, end) = window(line, from);
    let to = to.min(end);

    let mut text = String::new();
    let mut pad = 0;
    if begin > 0 {
        text.push('…');
        pad = 1;
    }
    masked_window(line, begin, end).chars().for_each(|char| show(char, &mut text));
    if end < line.len() {
        text.push('…');
    }
    pad += width(&line[begin..from]);
    let carets = width(&line[from..to]).max(1);
    (text, " ".repeat(pad) + &"^".repeat(carets))
}

/// Returns the range `begin..end` of `line` with secrets and e-mail addresses masked and the width
/// unchanged. An address is masked even if it extends past `end`.
fn masked_window(line: &str, begin: usize, end: usize) -> String {
    let behind = line[end..].chars();
    let rest = behind.clone().take(MAX_ADDRESS_CHARS).take_while(|&char| mask::is_local(char));
    // The `@` and the first character of the domain may follow.
    let rest: usize = behind.take(rest.count() + 2).map(char::len_utf8).sum();
    let mut shown = without_secrets(line, begin, end + rest);
    if shown.contains('@') {
        shown = masked(&shown);
    }
    shown.truncate(fitting(shown.chars(), width(&line[begin..end])));
    shown
}

/// Returns the range `begin..end` of `line` with secrets replaced by asterisks of the same width.
fn without_secrets(line: &str, begin: usize, end: usize) -> String {
    // In a very long line, only names near the window are considered.
    let (from, to) = match line.len() {
        ..=SECRET_SEARCH_BYTES => (0, line.len()),
        len => {
            let to = (end + SECRET_SEARCH_BYTES / 2).min(len);
            let from = begin.saturating_sub(SECRET_SEARCH_BYTES / 2);
            (char_boundary(line, from), char_boundary(line, to))
        }
    };
    let mut places = mask::places(&line[from..to]).into_iter().peekable();
    let mut out = String::with_capacity(end - begin);
    for (at, char) in line[begin..end].char_indices() {
        let at = begin + at - from;
        while places.next_if(|place| place.end <= at).is_some() {}
        match char {
            '"' | '\t' => out.push(char),
            _ if places.peek().is_some_and(|place| place.contains(&at)) => {
                out.extend(std::iter::repeat_n('*', char_width(char)));
            }
            _ => out.push(char),
        }
    }
    out
}

/// Returns the nearest offset at or before `offset` that is a character boundary of `text`.
pub(crate) fn char_boundary(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    (0..=offset).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// Returns the byte range of the character of `text` at `offset`; empty at the end of `text`.
pub(crate) fn char_span(text: &str, offset: usize) -> Range<usize> {
    let start = char_boundary(text, offset);
    start..text[start..].chars().next().map_or(start, |char| start + char.len_utf8())
}

/// Returns the byte range of `line` to show so that `from` is visible; a line that fits is shown
/// whole.
fn window(line: &str, from: usize) -> (usize, usize) {
    let whole = fitting(line.chars(), WINDOW_COLUMNS);
    if whole == line.len() {
        return (0, line.len());
    }
    let begin = from - fitting(line[..from].chars().rev(), LEAD_COLUMNS);
    let end = begin + fitting(line[begin..].chars(), WINDOW_COLUMNS);
    (begin, end)
}

/// Returns the number of bytes of the leading `chars` that fit into `columns`.
fn fitting(chars: impl Iterator<Item = char>, columns: usize) -> usize {
    let mut used = 0;
    chars
        .take_while(|&char| {
            used += char_width(char);
            used <= columns
        })
        .map(char::len_utf8)
        .sum()
}

fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// Returns the number of columns that [`show`] writes for `char`.
fn char_width(char: char) -> usize {
    match char {
        '\t' => TAB.len(),
        _ if is_unprintable(char) => 1,
        _ => char.width().unwrap_or(1),
    }
}

fn show(char: char, out: &mut String) {
    match char {
        '\t' => out.push_str(TAB),
        _ if is_unprintable(char) => out.push(char::REPLACEMENT_CHARACTER),
        _ => out.push(char),
    }
}

/// Returns `text` in one line: U+FFFD for characters that a terminal would act on, and blanks for
/// tabs.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|char| show(char, &mut out));
    out
}

/// Returns a path for display, made [`printable`].
pub fn shown(path: &Path) -> String {
    printable(&path.display().to_string())
}

/// Returns `text` with e-mail addresses masked, made [`printable`].
pub fn clean(text: &str) -> String {
    printable(&masked(text))
}

/// Returns `true` for control characters and for characters that start a line or change the writing
/// direction: a terminal, an editor or a web page would act on them.
pub(crate) fn is_unprintable(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_is_told_before_warnings_and_later_errors() {
        let found = [
            Diagnostic::error(5..6, "late"),
            Diagnostic::warning(0..1, "doubt"),
            Diagnostic::error(3..4, ""),
        ];
        assert_eq!(first_error("ab\ncd\n", &found), (2, 1));
        assert_eq!(first_error("ab", &found), (1, 3));
        assert_eq!(first_error("ab", &[]), (1, 1));
    }
    use proptest::prelude::*;

    #[test]
    fn a_diagnostic_shows_its_place_and_help() {
        let source = "when = 1\nevent == 'x'\n";
        let error = Diagnostic::error(15..17, "expected `=`").with_help("write `=`");
        insta::assert_snapshot!(render("rules.toml", source, &[error]), @r"
        rules.toml:2:7: error: expected `=`
         2 | event == 'x'
           |       ^^
        help: write `=`
        ");
    }

    #[test]
    fn diagnostics_come_in_the_order_of_the_text() {
        let found = [Diagnostic::error(3..4, "second"), Diagnostic::warning(0..1, "first")];
        insta::assert_snapshot!(render("-", "a b c", &found), @r"
        -:1:1: warning: first
         1 | a b c
           | ^

        -:1:4: error: second
         1 | a b c
           |    ^
        ");
    }

    #[test]
    fn of_very_many_diagnostics_the_first_are_shown_and_the_others_counted() {
        let source = "x".repeat(300_000);
        let found: Vec<_> =
            (0..source.len()).map(|at| Diagnostic::error(at..at + 1, "x")).collect();
        let shown = render("a", &source, &found);
        assert_eq!(shown.matches(": error: x\n").count(), MAX_SHOWN);
        assert!(shown.ends_with("\na: and 299900 more errors\n"), "{}", &shown[shown.len() - 99..]);
        assert!(!render("a", &source, &found[..MAX_SHOWN]).contains("more"));
        let one_more = render("a", &source, &found[..=MAX_SHOWN]);
        assert!(one_more.ends_with("\na: and 1 more error\n"));
    }

    #[test]
    fn the_end_of_the_text_has_a_place() {
        insta::assert_snapshot!(render("-", "a =", &[Diagnostic::error(3..3, "x")]), @r"
        -:1:4: error: x
         1 | a =
           |    ^
        ");
        insta::assert_snapshot!(render("-", "", &[Diagnostic::error(0..0, "x")]), @r"
        -:1:1: error: x
         1 | 
           | ^
        ");
    }

    #[test]
    fn tabs_and_wide_characters_do_not_move_the_caret() {
        let source = "\t'名前' = é §";
        let start = source.find('§').unwrap();
        let shown = render("-", source, &[Diagnostic::error(start..start + 2, "x")]);
        insta::assert_snapshot!(shown, @r"
        -:1:11: error: x
         1 |     '名前' = é §
           |                ^
        ");
    }

    #[test]
    fn a_long_line_is_cut_around_the_span() {
        let source = format!("{}HERE{}", "a".repeat(5000), "b".repeat(5000));
        let shown = render("-", &source, &[Diagnostic::error(5000..5004, "x")]);
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[0], "-:1:5001: error: x");
        assert!(lines[1].chars().count() < 120, "{shown}");
        let caret = lines[2].chars().position(|char| char == '^').unwrap();
        let under: String = lines[1].chars().skip(caret).take(4).collect();
        assert_eq!(under, "HERE");
        assert!(lines[1].contains("…a") && lines[1].ends_with("b…"));
    }

    #[test]
    fn an_address_is_masked_wherever_the_window_cuts_it() {
        let address = "ana.maria@acme.example";
        for before in 0..120 {
            let line = format!(
                "{}x {}{address}{}",
                "y".repeat(200),
                "z ".repeat(before / 2),
                "y".repeat(50)
            );
            let line = if before % 2 == 0 { line } else { line.replacen("x ", "x", 1) };
            for from in [0, 200, 202] {
                let (text, carets) = excerpt(&line, &(from..from + 1));
                assert!(!text.contains("an"), "{text}");
                assert!(carets.ends_with('^') && width(&text) <= WINDOW_COLUMNS + 2, "{text}");
            }
        }
    }

    #[test]
    fn an_excerpt_shows_no_secret_and_keeps_its_width() {
        let line = r#"{"headers":{"X-Auth-Token":["s3cr","s3cr"]},"path":"/webhook/s3cr","é":1}"#;
        let at = line.find('é').unwrap();
        let (text, carets) = excerpt(line, &(at..at + 2));
        let shown = r#"{"headers":{"X-Auth-Token":["****","****"]},"path":"/webhook/****","é":1}"#;
        assert_eq!(text, shown);
        assert_eq!(width(&carets), width(&line[..at]) + 1);
        let long = format!("{}?token=s3cr&a=b {}", "x ".repeat(20_000), "y ".repeat(20_000));
        let at = long.find('=').unwrap();
        let (text, _) = excerpt(&long, &(at..at + 1));
        assert!(text.contains("?token=****&a=b") && !text.contains("s3cr"), "{text}");
        let shown = render("r.toml", "api_secret = 's3cr'", &[Diagnostic::error(0..10, "x")]);
        assert!(shown.contains("api_secret = '****'"), "{shown}");
    }

    #[test]
    fn a_span_past_its_line_ends_with_the_line() {
        insta::assert_snapshot!(render("-", "ab\r\ncd", &[Diagnostic::error(1..6, "x")]), @r"
        -:1:2: error: x
         1 | ab
           |  ^
        ");
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        let text = "a\u{1b}[31m\u{202e}\u{61c}\u{2028}\u{9b}b";
        let found = [Diagnostic::error(0..1, text).with_help(text)];
        let shown = render(text, text, &found);
        let bad = ['\u{1b}', '\u{202e}', '\u{61c}', '\u{2028}', '\u{9b}'];
        assert!(!shown.contains(bad), "{shown}");
        assert_eq!(shown.lines().count(), 4);
    }

    #[test]
    fn many_places_of_one_giant_line_are_found_at_little_cost() {
        let source = "é".repeat(200_000);
        let lines = Lines::new(&source);
        for place in 0..200_000 {
            assert_eq!(lines.position(2 * place), (1, place + 1));
        }
        // Counting from the start of the line each time would take hours.
    }

    proptest! {
        #[test]
        fn a_position_is_the_count_of_lines_and_characters_before_it(
            parts in proptest::collection::vec("[aé世\\n]{0,9}|x{900}|世{500}", 0..6),
            offset in 0..6000_usize,
        ) {
            let source = parts.concat();
            let offset = offset.min(source.len());
            let before = &source[..char_boundary(&source, offset)];
            let line = before.rsplit('\n').next().unwrap_or_default();
            let expected = (before.matches('\n').count() + 1, line.chars().count() + 1);
            prop_assert_eq!(Lines::new(&source).position(offset), expected);
        }

        #[test]
        fn any_span_of_any_text_renders(source in "\\PC*|[\\x00-\\x7f]*", a in 0usize..200, b in 0usize..200) {
            let shown = render("-", &source, &[Diagnostic::error(a..b, "x")]);
            prop_assert!(shown.contains('^'));
        }
    }
}
