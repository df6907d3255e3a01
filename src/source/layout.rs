//! Detection of the layout of a file's values from its beginning.

use memchr::{memchr, memrchr};

use super::pushback::Pushback;
use super::reader::Options;
use super::split::next_start;
use crate::grammar::{Scanner, Step, is_blank, skip_separators};

/// How the values of a file are separated.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Each line has its own values.
    Lines,
    /// Values may span lines, and end where their brackets close.
    Values,
    /// The file is one value over many lines, which is contained here.
    Whole(Vec<u8>),
    /// The file begins with this number of bytes in blank lines. The following bytes determine the
    /// layout.
    Blank(usize),
}

impl Layout {
    /// Detects the layout of `input`. `head` is a buffer for its first bytes. Puts back all bytes
    /// that were read, except those of a single value or of blank lines.
    pub fn detect(input: &mut Pushback, head: &mut [u8], options: &Options) -> Self {
        let filled = input.fill(head);
        let (text, ended) = (&head[..filled], filled < head.len());
        if !ended
            && matches!(Beginning::of(text), Beginning::Blank)
            && let Some(line_end) = memrchr(b'\n', text)
        {
            input.put_back(&text[line_end + 1..]);
            return Self::Blank(line_end + 1);
        }
        let mut first = None;
        match detect(&mut first, text, ended, options) {
            Some(Detected::Lines) => {
                input.put_back(text);
                return Self::Lines;
            }
            Some(Detected::Values) => {
                input.put_back(text);
                return Self::Values;
            }
            Some(Detected::Whole) => return Self::Whole(text.to_vec()),
            None => {}
        }
        let mut text = text.to_vec();
        loop {
            let start = text.len();
            text.resize(start + head.len(), 0);
            let count = input.fill(&mut text[start..]);
            let ended = start + count < text.len();
            text.truncate(start + count);
            let layout = match detect(&mut first, &text, ended, options) {
                Some(Detected::Lines) => Self::Lines,
                Some(Detected::Values) => Self::Values,
                Some(Detected::Whole) => return Self::Whole(text),
                None => continue,
            };
            input.put_back_owned(text);
            return layout;
        }
    }
}

/// Detects the layout of a file that begins with `text`, and ends with it if `ended`. Returns
/// `None` if more bytes are needed. `first` is the state of the first value, once it has begun.
fn detect(
    first: &mut Option<First>,
    text: &[u8],
    ended: bool,
    options: &Options,
) -> Option<Detected> {
    if let Some(first) = first {
        return first.examine(text, ended, options);
    }
    match Beginning::of(text) {
        Beginning::Value(start) => first.insert(First::new(start)).examine(text, ended, options),
        Beginning::Other => Some(Detected::Lines),
        Beginning::Blank | Beginning::Comment => {
            (ended || text.len() > options.layout_limit()).then_some(Detected::Lines)
        }
    }
}

/// The beginning of a file.
enum Beginning {
    /// A value at this offset, perhaps after comments.
    Value(usize),
    /// Only separators so far.
    Blank,
    /// Only comments and what may become one so far.
    Comment,
    /// Other text.
    Other,
}

impl Beginning {
    fn of(text: &[u8]) -> Self {
        let (mut at, mut commented) = (0, false);
        loop {
            at = skip_separators(text, at);
            match &text[at..] {
                [] if !commented => return Self::Blank,
                [] | [b'/'] => return Self::Comment,
                [b'{' | b'[', ..] => return Self::Value(at),
                [b'#', ..] | [b'/', b'/' | b'*', ..] => match memchr(b'\n', &text[at..]) {
                    Some(length) => (at, commented) = (at + length, true),
                    None => return Self::Comment,
                },
                _ => return Self::Other,
            }
        }
    }
}

/// The layout that the first value implies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detected {
    Lines,
    Values,
    Whole,
}

/// The state of the first value of a file.
struct First {
    start: usize,
    /// The number of bytes that were examined.
    examined: usize,
    state: State,
    /// Whether it is longer than a value over many lines may be.
    is_too_long: bool,
}

enum State {
    Incomplete(Scanner),
    /// It is complete and spans lines.
    Ended,
    /// It is malformed and spans lines.
    Broken,
}

impl First {
    /// Creates the state of a value that begins at `start`.
    fn new(start: usize) -> Self {
        Self {
            start,
            examined: start,
            state: State::Incomplete(Scanner::default()),
            is_too_long: false,
        }
    }

    /// Examines more of the file, which begins with `text` and ends with it if `ended`.
    fn examine(&mut self, text: &[u8], ended: bool, options: &Options) -> Option<Detected> {
        if let State::Incomplete(scanner) = &mut self.state {
            let step = scanner.feed(&text[self.examined..]);
            self.examined = text.len();
            let (end, next) = match step {
                Step::End(length) => (self.start + length, State::Ended),
                Step::Broken(fault) => (self.start + fault.at, State::Broken),
                Step::More if ended || text.len() > options.max_value_bytes => {
                    (text.trim_ascii_end().len(), State::Broken)
                }
                Step::More => return None,
            };
            if memchr(b'\n', &text[self.start..end]).is_none() {
                return Some(Detected::Lines);
            }
            self.is_too_long = !ended && matches!(step, Step::More);
            self.examined = if let State::Ended = next { end } else { self.start + 1 };
            self.state = next;
        }
        if let State::Ended = self.state {
            let rest = &text[self.examined..];
            self.examined = text.len();
            return match rest.iter().all(|&byte| is_blank(byte)) {
                false => Some(Detected::Values),
                true if text.len() > options.max_value_bytes => Some(Detected::Values),
                true => ended.then_some(Detected::Whole),
            };
        }
        self.after_broken(text, ended, options)
    }

    /// Examines what follows a malformed value. A truncated first line is followed by complete
    /// lines, a malformed value over many lines is not.
    fn after_broken(&mut self, text: &[u8], ended: bool, options: &Options) -> Option<Detected> {
        if let Some(next) = next_start(text, self.examined) {
            let line = &text[next..];
            let end = memchr(b'\n', line);
            if end.is_some() || ended {
                let line = &line[skip_separators(line, 0)..end.unwrap_or(line.len())];
                let is_whole = Scanner::scan(line).is_ok();
                return Some(if is_whole { Detected::Lines } else { Detected::Values });
            }
            // Points to the line end, which `next_start` finds again.
            self.examined = next - 1;
        } else {
            // The last byte may be the line end.
            self.examined = text.len().saturating_sub(1).max(self.examined);
        }
        if ended {
            return Some(Detected::Values);
        }
        let detected = if self.is_too_long { Detected::Values } else { Detected::Lines };
        (text.len() - self.start > options.layout_limit()).then_some(detected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the layout of `text`, which must not depend on where the input is split.
    fn detected(text: &str) -> Detected {
        let options = Options::default();
        let examine = |first: &mut Option<First>, text: &[u8], ended| {
            super::detect(first, text, ended, &options)
        };
        let detected = examine(&mut None, text.as_bytes(), true).unwrap();
        for cut in 0..text.len() {
            let mut first = None;
            let early = examine(&mut first, &text.as_bytes()[..cut], false);
            let late = early.or_else(|| examine(&mut first, text.as_bytes(), true));
            assert_eq!(late, Some(detected), "{text:?} cut at {cut}");
        }
        detected
    }

    #[test]
    fn a_complete_first_line_implies_lines() {
        for text in [
            "",
            "\n\n",
            "text\n{\n}",
            "{}\n{\n}",
            "{\"a\":1}{\n}",
            "{\"a\":1},\n{\"a\":2}\n",
            ",{\"a\":1}\n,{\"a\":2}",
            "\u{1e}{}\n\u{1e}{}\n",
            "{broken}\n{}\n",
            "{\"a\":\"cut o\n{\"a\":2}\n",
            "[2025-03-01] text\n",
            "{\"a\":1",
        ] {
            assert_eq!(detected(text), Detected::Lines, "{text:?}");
        }
    }

    #[test]
    fn a_truncated_first_line_before_complete_ones_implies_lines() {
        for text in [
            "{\"a\":1\n{\"a\":2}\n{\"a\":3}\n",
            "{\"a\":\n{\"b\":{}}\n{\"a\":3}\n",
            "{\"a\":[\n{\"a\":2}\n{\"a\":3}",
            "[\n{\"a\":1},\n{\"a\":\n{\"a\":3}\n]\n",
            "[\nz\n{\"a\":1}\n]\n",
        ] {
            assert_eq!(detected(text), Detected::Lines, "{text:?}");
        }
    }

    #[test]
    fn detects_files_of_one_value() {
        for text in ["{\n}", " [\n{\"a\":1}\n,{}]\r\n \n", "// x\n{\n\"a\":1\n}\n", "\u{1e}{\n}\n"]
        {
            assert_eq!(detected(text), Detected::Whole, "{text:?}");
        }
    }

    #[test]
    fn detects_values_over_lines_even_if_the_first_is_malformed() {
        for text in [
            "{\n}\n{\n}",
            "{\n}{}",
            "{\n},\n{\n},",
            "[\n1]\nx",
            "{\n\"a\":\n}\n{\n\"b\":1\n}\n",
            "{\"batch\":[\n,{}\n,{}",
            "{\n\"a\": 1",
        ] {
            assert_eq!(detected(text), Detected::Values, "{text:?}");
        }
    }
}
